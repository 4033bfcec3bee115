// A page that stays open after its session: it says so and asks the server for nothing more.
import { type Request, expect } from "@playwright/test";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

const w = words("en");

test("a forgotten tab says that its session is over, asks no more, and leads to sign-in and back", async ({ browser }) => {
  const server = await Server.start();
  try {
    const page = await openPage(browser, server);
    // Minutes can pass at once.
    await page.clock.install();
    const refused: string[] = [];
    page.on("response", (response) => response.status() === 401 && refused.push(response.url()));
    await signIn(page, server, "teacher");
    await page.goto("/labs");
    await hydrated(page);
    await expect(page.getByText(w("labs.live"), { exact: true })).toBeVisible();

    // Signed out in another tab.
    const answer = await page.context().request.post("/sign-out", { headers: { origin: server.url }, maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    const notice = page.locator("main .note", { hasText: w("errors.unauthenticated") });
    await expect(notice).toHaveCount(1);
    // At most the event stream was refused, once.
    expect(refused.length).toBeLessThanOrEqual(1);

    const asked: string[] = [];
    page.on("request", (request: Request) => asked.push(new URL(request.url()).pathname));
    await page.clock.runFor(120_000);
    // Requests are reported in their order: the result of an earlier one is known by now.
    await page.evaluate(async () => (await fetch("/healthz")).status);
    expect(asked).toEqual(["/healthz"]);

    await notice.getByRole("link", { name: w("errors.sign_in"), exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/sign-in" && url.searchParams.get("back") === "/labs");
    await page.locator("#login").fill("teacher");
    await page.locator("#password").fill(server.password("teacher"));
    await page.locator("form.signin button").click();
    await page.waitForURL("**/labs");
    await hydrated(page);
    await expect(notice).toHaveCount(0);
    expect(page.faults).toEqual([]);
  } finally {
    await server.stop();
  }
});

test("a form that is sent after its session says so once, and keeps what was typed", async ({ browser }) => {
  const server = await Server.start();
  try {
    const page = await openPage(browser, server);
    await signIn(page, server, "teacher");
    await page.goto("/catalogue/jupyterlab-slice/order");
    await hydrated(page);
    await page.locator("#course").selectOption("AI2301");
    await page.locator("#purpose").fill("lesson 13");
    const answer = await page.context().request.post("/sign-out", { headers: { origin: server.url }, maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    const notice = page.locator("main .note", { hasText: w("errors.unauthenticated") });
    await expect(notice).toHaveCount(1);
    await expect(page.locator("#refusal .note")).toHaveCount(0);
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    // The form says it now, and the frame does not say it again.
    await expect(page.locator("#refusal .note", { hasText: w("errors.unauthenticated") })).toHaveCount(1);
    await expect(notice).toHaveCount(1);
    await expect(page.locator("#purpose")).toHaveValue("lesson 13");
  } finally {
    await server.stop();
  }
});
