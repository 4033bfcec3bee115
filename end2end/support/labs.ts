// Labs that run, and the ways into them.
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { type Page, expect } from "@playwright/test";
import { rest } from "./rest.ts";
import type { Server } from "./server.ts";

/** An hour of a notebook, which nobody needs to approve. */
export const NOTEBOOK = { offering: "jupyterlab-slice", course: "CV2402", parameters: {}, duration_minutes: 60 };

/** Orders labs and waits until all run; their ids. */
export async function runningLabs(server: Server, login: string, orders: object[] = [NOTEBOOK]): Promise<string[]> {
  const call = rest(server, login, ["orders:write", "labs:read"]);
  const labs: string[] = [];
  for (const order of orders) labs.push((await call("POST", "/orders", order)).labs[0]);
  const state = async (lab: string) => (await call("GET", `/labs/${lab}`)).state;
  await expect.poll(async () => Promise.all(labs.map(state)), { timeout: 60_000 }).toEqual(labs.map(() => "running"));
  return labs;
}

/** Presses Open on the page that shows the lab, and gives the tab that it opens. */
export async function opened(page: Page, lab: string): Promise<Page> {
  const opening = page.context().waitForEvent("page");
  await page.locator(`form[action="/labs/${lab}/open"] button`).first().click();
  return opening;
}

/** The answer of the portal that carries a ticket, as a page of the portal gets it. */
export async function handOver(page: Page, lab: string): Promise<{ headers: Record<string, string>; action: string; ticket: string }> {
  const { headers, html } = await page.evaluate(async (path) => {
    const answer = await fetch(path, { method: "POST", body: new URLSearchParams() });
    return { headers: Object.fromEntries(answer.headers), html: await answer.text() };
  }, `/labs/${lab}/open`);
  const value = (pattern: RegExp) => pattern.exec(html)?.[1] ?? "";
  return { headers, action: value(/action="([^"]+)"/), ticket: value(/name="ticket" value="([^"]+)"/) };
}

/** A request to the lab site. */
interface Asked {
  host: string;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Sends a request to the lab site. Only browsers resolve `*.localhost`, so the host is named by hand. */
export function askLabSite(
  server: Server,
  { host, method = "GET", path = "/", headers = {}, body = "" }: Asked,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((done, fail) => {
    const all = { host, ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }), ...headers };
    const sent = httpRequest({ host: "127.0.0.1", port: server.labsPort, method, path, headers: all }, (answer) => {
      answer.resume();
      answer.on("end", () => done({ status: answer.statusCode ?? 0, headers: answer.headers }));
    });
    sent.on("error", fail);
    sent.end(body);
  });
}
