// Many ways into labs at once: windows that open together, a browser that comes back, those who only look, and the portal's restart.
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { type Page, expect } from "@playwright/test";
import { NOTEBOOK, askLabSite, opened, runningLabs } from "../support/labs.ts";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { type Call, rest } from "../support/rest.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

test.describe.configure({ mode: "serial" });

const w = words("en");

let server: Server;
let call: Call;
let teacher: Page & { faults: string[] };
let labs: string[] = [];
/** The sites of the labs, in their order. */
let sites: string[] = [];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await Server.start();
  call = rest(server, "teacher", ["labs:read", "labs:write"]);
  teacher = await openPage(browser, server);
  await signIn(teacher, server, "teacher");
  labs = await runningLabs(server, "teacher", Array(6).fill(NOTEBOOK));
});
test.afterAll(async () => server?.stop());
test.afterEach(async () => expect(teacher?.faults.splice(0) ?? []).toEqual([]));

const inside = (page: Page) => expect(page.getByRole("heading", { name: "Simulated lab" })).toBeVisible();

/** Count of the ways into labs that the portal gave, by its record. */
const openings = async () => {
  const audit = rest(server, "auditor", ["audit:read"]);
  return (await audit("GET", "/audit/events?action=lab.open&limit=100")).items.length;
};

test("six labs that are opened at once all let the person in", async () => {
  const pages = await Promise.all(labs.map(() => teacher.context().newPage()));
  await Promise.all(pages.map(async (page, at) => page.goto(`/labs/${labs[at]}/open`)));
  await Promise.all(pages.map(inside));
  sites = pages.map((page) => new URL(page.url()).origin);
  expect(new Set(sites).size).toBe(6);
  await Promise.all(pages.map((page) => page.close()));
});

test("a browser that comes back with its tabs and without its cookies of labs is let in where it was", async ({ browser }) => {
  const before = await openings();
  const { cookies } = await teacher.context().storageState();
  const restored = await openPage(browser, server, { storageState: { cookies: cookies.filter(({ domain }) => domain === "127.0.0.1"), origins: [] } });
  const pages = await Promise.all(sites.slice(0, 5).map(() => restored.context().newPage()));
  await Promise.all(pages.map((page, at) => page.goto(`${sites[at]}/lab/tree?tab=${at}`)));
  await Promise.all(pages.map(inside));
  expect(pages.map((page) => page.url())).toEqual(sites.slice(0, 5).map((site, at) => `${site}/lab/tree?tab=${at}`));
  // Each went once through the portal.
  expect((await openings()) - before).toBe(5);
});

test("Back leads past the way in, and coming to it again leads in or says to open", async () => {
  const [lab = "", site = ""] = [labs[0], sites[0]];
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  const tab = await opened(teacher, lab);
  await inside(tab);
  expect(await tab.evaluate(() => history.length)).toBe(1);
  await tab.goto(`${server.site}/labs`);
  await tab.goto(`${server.site}/labs/${lab}/open`);
  await inside(tab);
  expect((await tab.reload())?.status()).toBe(200);
  await inside(tab);
  await tab.goBack();
  await expect(tab).toHaveURL(`${server.site}/labs`);
  await tab.goto(`${site}/.lectern/enter`);
  await expect(tab).toHaveURL(`${site}/`);
  await inside(tab);
  await teacher.context().clearCookies({ domain: new URL(site).hostname });
  await tab.goto(`${site}/.lectern/enter`);
  await expect(tab.getByRole("heading", { name: "Open this lab from Lectern" })).toBeVisible();
  await tab.getByRole("link", { name: "Open", exact: true }).click();
  await expect(tab).toHaveURL(`${site}/`);
  await inside(tab);
  await tab.close();
});

test("previewers and browsers that fetch ahead open, start and use nothing", async () => {
  const [lab = "", stopped = ""] = [labs[0], labs[5]];
  await call("POST", `/labs/${stopped}/stop`);
  const state = async () => (await call("GET", `/labs/${stopped}`)).state;
  await expect.poll(state, { timeout: 30_000 }).toBe("stopped");
  const both = <T>(ask: (id: string) => Promise<T>) => Promise.all([lab, stopped].map(ask));
  const links = await both(async (id) => new URL((await call("POST", `/labs/${id}/shares`, { lasts: "hour", view_only: true })).url).pathname);
  const paths = [...links, ...[lab, stopped].map((id) => `/labs/${id}/open`)];
  const visitors = () => both(async (id) => (await call("GET", `/labs/${id}/shares`)).items.map((share: any) => share.visitors));
  const used = async () => ({ openings: await openings(), visitors: await visitors() });
  const before = await used();

  // The browser itself: it fetches the page ahead, with the person's cookie, and runs nothing of it.
  await teacher.goto("/labs");
  for (const path of paths) {
    const answer = teacher.waitForResponse((response) => response.url().endsWith(path));
    await teacher.evaluate((href) => document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href })), path);
    expect((await (await answer).request().allHeaders())["sec-purpose"]).toContain("prefetch");
  }
  const lookers: Record<string, string>[] = [{ "sec-purpose": "prefetch;prerender" }, { "user-agent": "Slackbot-LinkExpanding 1.0" }];
  for (const path of paths) {
    for (const looker of lookers) {
      const headers = { accept: "text/html", ...looker };
      expect((await teacher.context().request.fetch(path, { method: "HEAD", headers })).status()).toBe(200);
      expect((await teacher.context().request.get(path, { headers })).status()).toBe(200);
      // Without a session it learns of sign-in only.
      const stranger = await fetch(server.site + path, { headers, redirect: "manual" });
      expect([stranger.status, stranger.headers.get("location")?.split("?")[0]]).toEqual([303, "/sign-in"]);
    }
  }
  const cookie = (await teacher.context().cookies(sites[5])).map(({ name, value }) => `${name}=${value}`).join("; ");
  for (const method of ["HEAD", "GET"]) {
    const ahead = await askLabSite(server, { host: new URL(sites[5] ?? "").host, method, headers: { cookie, "sec-purpose": "prefetch" } });
    expect([200, 503]).toContain(ahead.status);
  }
  expect(await used()).toEqual(before);
  expect(await state()).toBe("stopped");
});

/** A WebSocket to a lab as its page opens it, which opens again and again when it is closed. */
class Reconnecting {
  opened = 0;
  isOpen = false;
  /** Refusals, by their status. */
  refused: number[] = [];
  private socket: Socket | undefined;
  private isOver = false;

  constructor(private readonly headers: IncomingHttpHeaders) {
    this.connect();
  }

  end(): void {
    this.isOver = true;
    this.socket?.destroy();
  }

  private connect(): void {
    const again = () => {
      this.isOpen = false;
      if (!this.isOver) setTimeout(() => this.connect(), 300);
    };
    const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": btoa("0123456789abcdef") };
    const asked = httpRequest({ host: "127.0.0.1", port: server.labsPort, path: "/ws", headers: { ...this.headers, ...upgrade } });
    asked.on("upgrade", (_, socket) => {
      this.socket = socket;
      this.opened += 1;
      this.isOpen = true;
      socket.on("error", () => {}).on("close", again);
      socket.resume();
    });
    asked.on("response", (answer) => {
      const status = answer.statusCode ?? 0;
      // While the portal comes up it may not reach the lab yet.
      if (status < 500) this.refused.push(status);
      answer.resume();
      again();
    });
    asked.on("error", again);
    asked.end();
  }
}

test("300 open sockets, a tab and a terminal come back after a restart, and nobody signs in again", async ({ browser }) => {
  test.setTimeout(120_000);
  const manager = await openPage(browser, server);
  await signIn(manager, server, "manager");
  const theirs = sites.slice(3, 5);
  for (const at of [3, 4]) {
    await manager.goto(`${server.site}/labs/${labs[at]}/open`);
    await manager.getByRole("button", { name: w("open.visit_do") }).click();
    await inside(manager);
  }
  const visitors = [...sites.slice(0, 3).map((site) => [teacher, site] as const), ...theirs.map((site) => [manager, site] as const)];
  const sockets: Reconnecting[] = [];
  for (const [page, site] of visitors) {
    const cookie = (await page.context().cookies(site)).map(({ name, value }) => `${name}=${value}`).join("; ");
    for (let number = 0; number < 60; number++) sockets.push(new Reconnecting({ host: new URL(site).host, origin: site, cookie }));
  }
  const open = () => sockets.filter(({ isOpen }) => isOpen).length;
  await expect.poll(open).toBe(300);

  // A tab as an application keeps it, and a terminal.
  const tab = await teacher.context().newPage();
  await tab.goto(`${sites[0]}/`);
  await tab.evaluate(() => {
    const counts = Object.assign(window, { openings: 0 });
    const connect = () => {
      const socket = new WebSocket(`ws://${location.host}/ws`);
      socket.onopen = () => (counts.openings += 1);
      socket.onclose = () => setTimeout(connect, 300);
    };
    connect();
  });
  const openingsOfTab = () => tab.evaluate(() => (window as unknown as { openings: number }).openings);
  await expect.poll(openingsOfTab).toBe(1);
  await teacher.goto(`/labs/${labs[0]}/terminal`);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 20_000 });

  await server.end("SIGKILL");
  await expect.poll(open).toBe(0);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.again"));
  await server.run();
  await expect.poll(open, { timeout: 30_000 }).toBe(300);
  expect(sockets.every(({ opened }) => opened >= 2)).toBe(true);
  expect(sockets.flatMap(({ refused }) => refused)).toEqual([]);
  await expect.poll(openingsOfTab, { timeout: 30_000 }).toBeGreaterThan(1);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 30_000 });
  await expect(teacher.locator("main")).toContainText(w("terminal.new_shell"));
  for (const socket of sockets) socket.end();
  // A browser complains of a server that is gone; that is no fault of the page.
  const gone = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|WebSocket connection/;
  teacher.faults.splice(0, Infinity, ...teacher.faults.filter((fault) => !gone.test(fault)));
});
