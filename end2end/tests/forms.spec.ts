// What a form says of its fields.
import { expect } from "@playwright/test";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";

test("one wrong secret marks its own field alone", async ({ browser }) => {
  const server = await Server.start();
  try {
    const page = await openPage(browser, server);
    await signIn(page, server, "operator");
    await page.goto("/offerings/vscode");
    await hydrated(page);
    const field = (name: string) => page.locator(`[name="fields[base.secrets.${name}]"]`);
    await field("0.name").fill("not a name");
    await field("0.value").fill("some value");
    await field("0.name").press("Enter");
    await expect(field("0.name")).toHaveAttribute("aria-invalid", "true");
    const marked = (name: string) => field(name).evaluate((input) => getComputedStyle(input).boxShadow !== "none");
    await expect.poll(() => marked("0.name")).toBe(true);
    // Its value is not kept, so it is to be typed again.
    for (const other of ["1.name", "1.value"]) expect(await marked(other), other).toBe(false);
  } finally {
    await server.stop();
  }
});
