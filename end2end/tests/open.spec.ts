// The door: a click opens the lab itself, on a host of its own; a ticket is good once; the way in ends with the session, the lab with its stop.
import { type Page, expect } from "@playwright/test";
import { askLabSite, handOver, opened, runningLabs } from "../support/labs.ts";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

test.describe.configure({ mode: "serial" });

const w = words("en");

let server: Server;
let teacher: Page & { faults: string[] };
let tab: Page;
let lab = "";

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await Server.start();
  teacher = await openPage(browser, server);
  await signIn(teacher, server, "teacher");
  [lab = ""] = await runningLabs(server, "teacher");
});
test.afterAll(async () => server?.stop());
test.afterEach(async () => expect(teacher?.faults.splice(0) ?? []).toEqual([]));

/** A ticket for the teacher, by the page that carries it. */
async function ticket(): Promise<{ host: string; ticket: string }> {
  const { headers, action, ticket } = await handOver(teacher, lab);
  expect(headers["content-security-policy"]).toContain(`form-action ${new URL(action).origin};`);
  expect(headers["referrer-policy"]).toBe("strict-origin");
  return { host: new URL(action).host, ticket };
}

/** Posts a ticket to the lab's site. */
function enter(host: string, ticket: string, origin: string) {
  const body = new URLSearchParams({ ticket, next: "/" }).toString();
  return askLabSite(server, { host, method: "POST", path: "/.lectern/enter", headers: { origin, "content-type": "application/x-www-form-urlencoded" }, body });
}

test("a teacher opens the running lab from its page, and its WebSocket answers", async () => {
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  tab = await opened(teacher, lab);
  await expect(tab.getByRole("heading", { name: "Simulated lab" })).toBeVisible();
  expect(new URL(tab.url()).hostname).toMatch(/^lab-\d+-[0-9a-f]{10}\.localhost$/);
  const echoed = await tab.evaluate(
    () =>
      new Promise((done, fail) => {
        const socket = new WebSocket(`ws://${location.host}/ws`);
        socket.onopen = () => socket.send("深 echo");
        socket.onmessage = (message) => done(message.data);
        socket.onerror = () => fail(new Error("the socket failed"));
      }),
  );
  expect(echoed).toBe("深 echo");
});

test("Today and the list open it too", async () => {
  for (const page of ["/", "/labs"]) {
    await teacher.goto(page);
    await hydrated(teacher);
    const other = await opened(teacher, lab);
    await expect(other.getByRole("heading", { name: "Simulated lab" })).toBeVisible();
    await other.close();
  }
});

test("the lab gets its own host's name and none of our cookies", async () => {
  const { headers } = await tab.evaluate(async () => (await fetch("/echo")).json());
  expect(headers.host).toEqual([new URL(tab.url()).host]);
  expect((headers.cookie ?? []).join()).not.toContain("lectern");
  expect(await tab.evaluate(() => document.cookie)).toBe("");
});

test("a ticket is good once, and only from the portal", async () => {
  const first = await ticket();
  const entered = await enter(first.host, first.ticket, server.url);
  expect(entered.status).toBe(303);
  expect(entered.headers["set-cookie"]?.[0]).toContain("HttpOnly");
  // A browser that comes back to it (Reload, Back) is let in by its cookie; one without a cookie is told to press Open.
  const again = await enter(first.host, first.ticket, server.url);
  expect([again.status, again.headers.location, again.headers["set-cookie"]]).toEqual([303, "/.lectern/enter", undefined]);
  for (const origin of ["null", "http://evil.example"]) {
    const other = await ticket();
    const refused = await enter(other.host, other.ticket, origin);
    expect([refused.status, refused.headers["set-cookie"]]).toEqual([403, undefined]);
  }
});

test("a link to a lab leads its owner in, and shows others as what they would visit it", async ({ browser }) => {
  const link = await teacher.context().newPage();
  await link.goto(`${server.url}/labs/${lab}/open?next=/echo`);
  await expect(link).toHaveURL(/^http:\/\/lab-.*\/echo$/);
  await link.close();
  const manager = await openPage(browser, server);
  await signIn(manager, server, "manager");
  await manager.goto(`/labs/${lab}/open`);
  await expect(manager.locator("main")).toContainText(w("open.role_manager"));
  await manager.getByRole("button", { name: w("open.visit_do") }).click();
  await expect(manager.getByRole("heading", { name: "Simulated lab" })).toBeVisible();
  // The owner sees the visit while it lasts.
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  await expect(teacher.locator("#visits .plain-list")).toContainText(w("open.role_manager"), { timeout: 45_000 });
  await expect(teacher.locator("#visits table")).toContainText(w("open.role_owner"));
  await expect(teacher.locator("#visits table")).toContainText(w("visits.way_browser"));
  await expect(teacher.getByRole("link", { name: w("visits.see"), exact: true })).toBeVisible();
  expect((await teacher.context().request.get(`/labs/${lab}/logs`)).status()).toBe(200);
});

test("a link for looking lets somebody of the college read, and ends when it is withdrawn", async ({ browser }) => {
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  const card = teacher.locator("#share");
  await card.getByText(w("shares.new"), { exact: true }).click();
  await card.getByLabel(w("shares.view_only")).check();
  await card.getByRole("button", { name: w("shares.make") }).click();
  const link = await teacher.locator("#one-time-share input").inputValue();
  expect(link).toContain("/labs/shared/shr_");
  const guest = await openPage(browser, server);
  await signIn(guest, server, "auditor");
  await guest.goto(new URL(link).pathname);
  await expect(guest.locator("main")).toContainText(w("shares.limit_view"));
  await guest.getByRole("button", { name: w("shares.open") }).click();
  await expect(guest.getByRole("heading", { name: "Simulated lab" })).toBeVisible();
  const status = (method: string) => guest.evaluate(async (method) => (await fetch("/echo", { method })).status, method);
  expect([await status("GET"), await status("POST")]).toEqual([200, 403]);
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  await card.getByRole("button", { name: w("shares.withdraw"), exact: true }).first().click();
  await card.locator("dialog[open]").getByRole("button", { name: w("shares.withdraw"), exact: true }).click();
  await expect.poll(() => status("GET"), { timeout: 15_000 }).toBe(401);
  await guest.reload();
  await expect(guest.getByRole("heading", { name: "This link has ended" })).toBeVisible();
  await expect(card.locator("table")).toContainText(w("shares.withdrawn"));
});

test("another port of the lab has a host of its own", async () => {
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  const card = teacher.locator("#ports");
  await card.getByRole("button", { name: w("ports.look") }).click();
  await expect(card).toContainText(w("ports.none"));
  await card.getByLabel(w("ports.port"), { exact: true }).fill("8501");
  const opening = teacher.context().waitForEvent("page");
  await card.getByRole("button", { name: w("ports.open"), exact: true }).click();
  const other = await opening;
  await expect(other).toHaveURL(/^http:\/\/8501--lab-.*\.localhost:/);
  await expect(other.locator("body")).toContainText("The application in the lab does not answer");
  await other.close();
});

test("signing out ends the way in", async () => {
  const status = () => tab.evaluate(async () => (await fetch("/echo")).status);
  expect(await status()).toBe(200);
  const answer = await teacher.context().request.post("/sign-out", { headers: { origin: server.url }, maxRedirects: 0 });
  expect(answer.status()).toBe(303);
  await expect.poll(status, { timeout: 15_000 }).toBe(401);
  await tab.close();
  await signIn(teacher, server, "teacher");
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  tab = await opened(teacher, lab);
  await expect(tab.getByRole("heading", { name: "Simulated lab" })).toBeVisible();
});

test("a lab that is stopped closes its sockets, and its tab says that it is stopped", async () => {
  await tab.evaluate(
    () =>
      new Promise<void>((done) => {
        const socket = new WebSocket(`ws://${location.host}/ws`);
        socket.onopen = () => done();
        socket.onclose = () => document.documentElement.setAttribute("data-closed", "");
      }),
  );
  await teacher.getByRole("button", { name: w("labs.stop"), exact: true }).click();
  await tab.locator("html[data-closed]").waitFor({ timeout: 30_000, state: "attached" });
  await expect(async () => {
    await tab.reload();
    await expect(tab.locator("body")).toContainText(/Stopp(ing|ed)/, { timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
});
