// What every test does in the browser: signing in, and listening for faults that a reader would not see.
import { type Browser, type BrowserContextOptions, type Page, expect } from "@playwright/test";
import type { Server } from "./server.ts";

/** A page of its own with its own cookies. Anything in the console that is a fault ends up in `faults`. */
export async function openPage(browser: Browser, server: Server, options: BrowserContextOptions = {}): Promise<Page & { faults: string[] }> {
  const context = await browser.newContext({ locale: "en-GB", ...options, baseURL: server.url });
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
  await page.waitForURL(`${server.url}/`);
}

/** The WebAssembly has taken over: forms and buttons answer. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator("html[data-hydrated]").waitFor();
  await expect(page.locator("main")).toBeVisible();
}
