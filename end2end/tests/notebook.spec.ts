// A real JupyterLab, as `make run LABS=local` gives it: ordered, approved and opened, it runs a cell and keeps files until it is stopped.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { whyNoJupyter } from "../support/python.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

test.describe.configure({ mode: "serial" });

const w = words("en");
const BODY = { offering: "jupyterlab-2xa100-1tb", course: "CV2402", parameters: {}, duration_minutes: 60, purpose: "Thesis supervision" };
// JupyterLab is installed at the first start.
const INSTALLED = 300_000;

let server: Server;
let teacher: Page & { faults: string[] };
let manager: Page & { faults: string[] };
let tab: Page;
let lab = "";
let name = "";

test.beforeAll(async ({ browser }) => {
  test.setTimeout(300_000);
  const missing = whyNoJupyter();
  test.skip(missing !== null, missing ?? "");
  server = await Server.start(["--demo", "--labs", "local"]);
  teacher = await openPage(browser, server);
  manager = await openPage(browser, server);
  await signIn(teacher, server, "teacher");
  await signIn(manager, server, "manager");
});
test.afterAll(async () => server?.stop());
test.afterEach(async () => {
  for (const page of [teacher, manager]) expect(page?.faults.splice(0) ?? []).toEqual([]);
});

/** Files of the lab on this machine. */
const file = (path: string) => join(server.data, "labs", name, path);

test("the page says that labs are processes without isolation", async () => {
  await teacher.goto("/");
  await expect(teacher.locator("nav .foot")).toContainText(w("layout.labs_are_processes"));
});

test("a teacher orders a notebook, and a manager approves it", async () => {
  const token = server.command("token", "create", "--user", "teacher", "--scope", "orders:write").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": "notebook" };
  const made = await fetch(`${server.url}/api/v1/orders`, { method: "POST", headers, body: JSON.stringify(BODY) });
  expect(made.status).toBe(201);
  const { id, state } = await made.json();
  expect(state).toBe("pending_approval");
  await manager.goto(`/approvals/${id}`);
  await hydrated(manager);
  await manager.getByRole("button", { name: "Approve", exact: true }).click();
  await manager.waitForURL((url) => !url.pathname.endsWith(id));
  await teacher.goto(`/orders/${id}`);
  const link = teacher.locator('a[href^="/labs/"]').first();
  await expect(link).toBeVisible();
  lab = ((await link.getAttribute("href")) ?? "").split("/").pop() ?? "";
});

test("it is installed, runs, and opens in a tab of its own", async () => {
  test.setTimeout(INSTALLED + 60_000);
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  await expect(teacher.locator(".page-head, .pill").filter({ hasText: /Running/ }).first()).toBeVisible({ timeout: INSTALLED });
  const opening = teacher.context().waitForEvent("page");
  await teacher.locator(`form[action="/labs/${lab}/open"] button`).first().click();
  tab = await opening;
  await tab.waitForURL(/\/lab(\/|\?|$)/, { timeout: 60_000 });
  await expect(tab.locator("#jp-main-dock-panel")).toBeVisible({ timeout: 60_000 });
  name = /^(.+)-[0-9a-f]{10}\.localhost$/.exec(new URL(tab.url()).hostname)?.[1] ?? "";
  expect(existsSync(file(""))).toBe(true);
});

test("files go up and come down", async () => {
  const { status, text } = await tab.evaluate(async () => {
    const xsrf = /(?:^|; )_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? "";
    const body = JSON.stringify({ type: "file", format: "text", content: "深 hello\n" });
    const headers = { "content-type": "application/json", "x-xsrftoken": decodeURIComponent(xsrf) };
    const { status } = await fetch("/api/contents/hello.txt", { method: "PUT", headers, body });
    return { status, text: await (await fetch("/files/hello.txt")).text() };
  });
  expect([status, text]).toEqual([201, "深 hello\n"]);
  expect(readFileSync(file("hello.txt"), "utf8")).toBe("深 hello\n");
});

test("a cell runs in a kernel, in the lab's folder", async () => {
  const printed = await tab.evaluate(async () => {
    const xsrf = decodeURIComponent(/(?:^|; )_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? "");
    const headers = { "content-type": "application/json", "x-xsrftoken": xsrf };
    const answer = await fetch("/api/kernels", { method: "POST", headers, body: JSON.stringify({ name: "python3" }) });
    const { id } = await answer.json();
    return new Promise<string>((done, fail) => {
      const socket = new WebSocket(`ws://${location.host}/api/kernels/${id}/channels?session_id=test`);
      const header = { msg_id: "cell", username: "", session: "test", date: "", msg_type: "execute_request", version: "5.3" };
      const code = "import os; print(6 * 7, os.path.exists('hello.txt'), os.environ['PORT'])";
      const content = { code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false, stop_on_error: true };
      socket.onopen = () => socket.send(JSON.stringify({ header, parent_header: {}, metadata: {}, content, channel: "shell", buffers: [] }));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.msg_type === "stream") done(message.content.text);
        if (message.msg_type === "error") fail(new Error(message.content.evalue));
      };
      socket.onerror = () => fail(new Error("the socket failed"));
      // Closed by the lab's stop, which the next step waits for.
      socket.onclose = () => document.documentElement.setAttribute("data-closed", "");
    });
  });
  expect(printed).toMatch(/^42 True [0-9]+\n$/);
  // Another program of this machine does not know the token of this start.
  const refused = await fetch(`http://127.0.0.1:${printed.trim().split(" ").pop()}/api/kernels`);
  expect(refused.status).toBe(403);
});

test("a stop closes it, and its files stay", async () => {
  await teacher.getByRole("button", { name: w("labs.stop"), exact: true }).click();
  await tab.locator("html[data-closed]").waitFor({ timeout: 60_000, state: "attached" });
  await expect.poll(() => tab.evaluate(async () => (await fetch("/api/status")).status), { timeout: 60_000 }).not.toBe(200);
  await expect(teacher.locator(".page-head, .pill").filter({ hasText: /Stopped/ }).first()).toBeVisible({ timeout: 60_000 });
  expect(readFileSync(file("hello.txt"), "utf8")).toBe("深 hello\n");
  // Nothing of it runs any more.
  expect(readdirSync(join(server.data, "lab-processes"))).toEqual([]);
});
