// Opening pages, signing in, and recording faults that a reader would not see.
// Every page is closed by what opened it: a page of a test when the test ends, a page of a hook or a story when its server stops.
// Each open page holds a live connection and a running wasm; left open they slow down everything after them.
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, expect, test as base } from "@playwright/test";
import type { Server } from "./server.ts";

/** The contexts that the running test opened; null between tests (in hooks). */
let ofThisTest: BrowserContext[] | null = null;

/** Playwright's `test`, which closes the pages that a test opened. Every spec takes its `test` from here. */
export const test = base.extend<{ closesItsPages: void }>({
  closesItsPages: [
    async ({}, use) => {
      ofThisTest = [];
      await use();
      const opened = ofThisTest;
      ofThisTest = null;
      await Promise.all(opened.map((context) => context.close()));
    },
    { auto: true },
  ],
});

export interface PageOptions extends BrowserContextOptions {
  /** Until when the page stays open: the end of the test (the default inside a test) or of its server. */
  until?: "test" | "server";
}

/** A page of its own with its own cookies. Anything in the console that is a fault ends up in `faults`. */
export async function openPage(browser: Browser, server: Server, { until = "test", ...options }: PageOptions = {}): Promise<Page & { faults: string[] }> {
  const context = await browser.newContext({ locale: "en-GB", ...options, baseURL: server.site });
  if (until === "test" && ofThisTest) ofThisTest.push(context);
  else server.visitors.push(context);
  const page = Object.assign(await context.newPage(), { faults: [] as string[] });
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => {
    // A refused form answers 4xx, which the console reports too; the tests look at those themselves.
    if (message.type() === "error" && !/status of (401|403|404|409|422|429)/.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

export async function signIn(page: Page, server: Server, login: string): Promise<void> {
  await page.goto("/sign-in");
  await page.locator("#login").fill(login);
  await page.locator("#password").fill(server.password(login));
  await page.locator("form.signin button").click();
  await page.waitForURL(`${server.site}/`);
}

/** The WebAssembly has taken over: forms and buttons answer. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor();
  await expect(page.locator("main")).toBeVisible();
}
