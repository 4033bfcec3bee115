// The main job as one thread: a teacher orders, a manager approves, Kubernetes runs it, the bill and the audit record show it.
import { type Page, expect } from "@playwright/test";
import { objectsOfLectern } from "../support/cluster.ts";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";

test.describe.configure({ mode: "serial" });

let server: Server;
let teacher: Page & { faults: string[] };
let manager: Page & { faults: string[] };
let lab = "";
let order = "";

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  teacher = await openPage(browser, server);
  manager = await openPage(browser, server);
});
test.afterAll(async () => {
  await server?.stop();
});
test.afterEach(async () => {
  // A fault in the console fails the step that made it.
  for (const page of [teacher, manager]) expect(page?.faults.splice(0) ?? []).toEqual([]);
});

async function state(page: Page, text: string | RegExp): Promise<void> {
  await expect(page.locator(".page-head, .pill").filter({ hasText: text }).first()).toBeVisible({ timeout: 30_000 });
}

test("1. signs in, is refused with one message for every failure, and signs out everywhere on a change of password", async ({ browser }) => {
  await teacher.goto("/labs");
  await expect(teacher).toHaveURL(/\/sign-in/);
  await teacher.locator("#login").fill("teacher");
  await teacher.locator("#password").fill("not the password");
  await teacher.locator("form.signin button").click();
  const refusal = teacher.getByRole("alert").or(teacher.locator("form.signin .note")).first();
  await expect(refusal).toContainText("do not match");
  const wrongPassword = await refusal.innerText();
  await expect(teacher.locator("#login")).toHaveValue("teacher");
  await teacher.locator("#login").fill("nobody-here");
  await teacher.locator("#password").fill("not the password");
  await teacher.locator("form.signin button").click();
  await expect(refusal).toHaveText(wrongPassword, { useInnerText: true });

  await signIn(teacher, server, "teacher");
  await signIn(manager, server, "manager");

  // The auditor signs in twice; a change of password in one place ends the other.
  const [here, there] = [await openPage(browser, server), await openPage(browser, server)];
  await signIn(here, server, "auditor");
  await signIn(there, server, "auditor");
  await here.goto("/account");
  await here.locator("#current").fill(server.password("auditor"));
  await here.locator("#new").fill("a new sentence for the auditor");
  await here.getByRole("button", { name: "Change the password" }).click();
  await expect(here).toHaveURL(/done=password/);
  await there.goto("/audit");
  await expect(there).toHaveURL(/\/sign-in/);
  await here.goto("/audit");
  await expect(here.locator("h1")).toHaveText("Audit");
  await here.context().close();
  await there.context().close();
});

test("2. shows the catalogue with eight offerings and their prices", async () => {
  await teacher.goto("/catalogue");
  for (const name of ["JupyterLab on a slice", /JupyterLab.*2 × A100/, /PyTorch DDP/]) {
    await expect(teacher.getByRole("heading", { name })).toBeVisible();
  }
  await expect(teacher.getByText(/^¥\d+\.\d\d/).first()).toBeVisible();
});

test("3. previews price, quota and approval live, names each mistake at its field, and takes the order", async () => {
  await teacher.goto("/catalogue/jupyterlab-2xa100-1tb/order");
  await hydrated(teacher);
  await teacher.locator("#course").selectOption({ index: 0 });
  const duration = teacher.locator("#duration_minutes");
  await duration.fill("60");
  const summary = teacher.locator("form aside, .summary, .cols > aside").first();
  await expect(summary).toContainText("¥16.50");
  await duration.fill("120");
  await expect(summary).toContainText("¥32.99");
  await duration.fill("7");
  await teacher.getByRole("button", { name: "Submit order" }).first().click();
  await expect(teacher.locator("#duration_minutes-note .error")).not.toBeEmpty();
  await expect(duration).toHaveValue("7");
  await duration.fill("60");
  await teacher.locator("#purpose").fill("Thesis supervision");
  await teacher.getByRole("button", { name: "Submit order" }).first().click();
  await teacher.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  order = new URL(teacher.url()).pathname.split("/").pop() ?? "";
  await expect(teacher.locator("body")).toContainText(/#\d{4}/);
});

test("4. the manager sees it in the inbox and approves; the requester could not", async () => {
  await teacher.goto(`/approvals/${order}`);
  await expect(teacher.getByRole("button", { name: "Approve" })).toHaveCount(0);
  await manager.goto("/approvals");
  await hydrated(manager);
  await expect(manager.locator(`a[href*="${order}"]`).first()).toBeVisible();
  await manager.goto(`/approvals/${order}`);
  await hydrated(manager);
  await manager.getByRole("button", { name: "Approve", exact: true }).click();
  await manager.waitForURL((url) => !url.pathname.endsWith(order));
  await teacher.goto(`/orders/${order}`);
  const link = teacher.locator('a[href^="/labs/"]').first();
  await expect(link).toBeVisible();
  lab = (await link.getAttribute("href")) ?? "";
});

test("5. Kubernetes runs it and the lab page follows without a reload; stop, start, destroy", async () => {
  await teacher.goto(lab);
  await hydrated(teacher);
  await state(teacher, /Running/);
  const kinds = async () => new Set((await objectsOfLectern(server.kubeconfig)).map((object) => object.split("/")[0]));
  const running = await kinds();
  for (const kind of ["Namespace", "StatefulSet", "Pod", "Service", "PersistentVolumeClaim", "ServiceAccount", "NetworkPolicy", "ResourceQuota", "LimitRange"]) {
    expect(running).toContain(kind);
  }
  await teacher.getByRole("button", { name: "Stop", exact: true }).click();
  await state(teacher, /Stopped/);
  const stopped = await kinds();
  expect(stopped).not.toContain("Pod");
  expect(stopped).toContain("PersistentVolumeClaim");
  await teacher.getByRole("button", { name: "Start", exact: true }).click();
  await state(teacher, /Running/);
  await teacher.screenshot({ path: `${process.env.SCREENS ?? "test-results/screens"}/lab.png` });
  await teacher.getByRole("button", { name: "Destroy…", exact: true }).click();
  const dialog = teacher.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await dialog.locator('button[data-kind="danger-solid"]').click();
  await state(teacher, /Destroyed/);
  expect(await objectsOfLectern(server.kubeconfig)).toEqual([]);
});

test("6. the month's bill of the course leads to the lab", async () => {
  await expect(async () => {
    await teacher.goto("/billing?by=person");
    await hydrated(teacher);
    await teacher.locator('a[href*="by=person"][href*="key="]').first().click({ timeout: 2_000 });
    await expect(teacher.locator('a[href^="/billing/labs/"]').first()).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  // From the person to the lab's intervals, each with its sum, and on to the lab.
  await teacher.locator('a[href^="/billing/labs/"]').first().click();
  await expect(teacher.locator("table").first()).toBeVisible();
  await teacher.locator(`a[href="${lab}"]`).first().click();
  await teacher.waitForURL(new RegExp(lab));
});

test("7. the audit record has every step and every refusal, and verifies", async ({ browser }) => {
  const auditor = await openPage(browser, server);
  await auditor.goto("/sign-in");
  await auditor.locator("#login").fill("auditor");
  await auditor.locator("#password").fill("a new sentence for the auditor");
  await auditor.locator("form.signin button").click();
  await auditor.waitForURL(`${server.url}/`);
  await auditor.goto("/audit?action=order.");
  await expect(auditor.locator("table")).toContainText("Submitted an order");
  await expect(auditor.locator("table")).toContainText("Approved an order");
  await auditor.goto("/audit?person=teacher&outcome=success");
  await expect(auditor.locator("table")).toContainText("Destroyed a lab");
  await auditor.goto("/audit?text=示范");
  await expect(auditor.locator("tbody tr").first()).toBeVisible();
  await auditor.locator("tbody tr a").first().click();
  await expect(auditor.locator("h2").filter({ hasText: "Proof" })).toBeVisible();
  expect(auditor.faults).toEqual([]);
  await auditor.context().close();

  await teacher.goto("/audit");
  await expect(teacher.locator("table")).toHaveCount(0);
  expect(server.command("audit", "verify")).toMatch(/\d+ record/);
});

test("8. the API does the same by bearer token", async () => {
  const token = (login: string, ...scopes: string[]) =>
    server.command("token", "create", "--user", login, ...scopes.flatMap((scope) => ["--scope", scope])).trim();
  const mine = token("teacher", "offerings:read", "orders:read", "orders:write", "labs:read", "labs:write", "bills:read", "usage:read", "quotas:read");
  const call = async (bearer: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body ? { "content-type": "application/json" } : {}), ...headers },
      body: body ? JSON.stringify(body) : undefined,
    });
    return { status: answer.status, type: answer.headers.get("content-type") ?? "", json: await answer.json() };
  };
  const offerings = await call(mine, "GET", "/offerings");
  expect(offerings.json.items).toHaveLength(8);
  const body = { offering: "jupyterlab-slice", course: "CV2402", parameters: {}, duration_minutes: 60 };
  const first = await call(mine, "POST", "/orders", body, { "idempotency-key": "lesson-1" });
  expect(first.status).toBe(201);
  expect(first.json).toMatchObject({ id: expect.any(String), state: expect.stringMatching(/approved|queued|fulfilled/), labs: expect.any(Array) });
  const again = await call(mine, "POST", "/orders", body, { "idempotency-key": "lesson-1" });
  expect(again.json.id).toBe(first.json.id);
  const bad = await call(mine, "POST", "/orders", { ...body, duration_minutes: 1 }, { "idempotency-key": "lesson-2" });
  expect(bad.status).toBe(422);
  expect(bad.type).toContain("application/problem+json");
  expect(bad.json.code).toBe("invalid");
  const forbidden = await call(mine, "GET", "/audit/events");
  expect(forbidden.status).toBe(403);
  const [id] = first.json.labs;
  await expect.poll(async () => (await call(mine, "GET", `/labs/${id}`)).json.state, { timeout: 30_000 }).toBe("running");
  expect((await call(mine, "POST", `/labs/${id}/destroy`)).status).toBeLessThan(300);
  await expect.poll(async () => (await call(mine, "GET", `/labs/${id}`)).json.state, { timeout: 30_000 }).toBe("destroyed");
  for (const path of ["/usage", "/bills", "/quotas", "/orders", "/labs"]) expect((await call(mine, "GET", path)).status, path).toBe(200);
  const document = await (await fetch(`${server.url}/api/v1/openapi.json`)).json();
  expect(Object.keys(document.paths).length).toBeGreaterThan(12);
  for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await fetch(server.url + path)).status, path).toBe(200);
});

test("9. everything in Chinese and English, light and dark, remembered", async () => {
  await teacher.goto("/catalogue");
  await expect(teacher.locator("html")).toHaveAttribute("lang", "en");
  await teacher.getByRole("button", { name: "中文" }).first().click();
  await expect(teacher.locator("html")).toHaveAttribute("lang", "zh-CN");
  await expect(teacher.locator("h1")).toHaveText("服务目录");
  await teacher.goto("/orders");
  await expect(teacher.locator("html")).toHaveAttribute("lang", "zh-CN");
  await teacher.context().addCookies([{ name: "theme", value: "dark", url: server.url }]);
  await teacher.reload();
  await expect(teacher.locator("html")).toHaveAttribute("data-theme", "dark");
});
