// Sign-in, ordering and deciding work without scripts: what was typed is still there after a refusal.
import { type Page, expect } from "@playwright/test";
import { openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";

test.describe.configure({ mode: "serial" });

let server: Server;
let teacher: Page;
let manager: Page;
let order = "";

test.beforeAll(async ({ browser }) => {
  server = await Server.start();
  teacher = await openPage(browser, server, { javaScriptEnabled: false });
  manager = await openPage(browser, server, { javaScriptEnabled: false });
  await signIn(teacher, server, "teacher");
  await signIn(manager, server, "manager");
});
test.afterAll(async () => {
  await server?.stop();
});

async function submitOrder(): Promise<void> {
  await teacher.getByRole("button", { name: "Submit order" }).first().click();
}

test("a mistake in the order form comes back at its field with everything typed", async () => {
  await teacher.goto("/catalogue/jupyterlab-2xa100-1tb/order");
  await teacher.locator("#course").selectOption({ index: 1 });
  const course = await teacher.locator("#course").inputValue();
  await teacher.locator("#duration_minutes").fill("7");
  await teacher.locator("#purpose").fill("Lesson 3, convolution");
  await submitOrder();
  await expect(teacher).toHaveURL(/\/catalogue\/jupyterlab-2xa100-1tb\/order/);
  await expect(teacher.locator("#duration_minutes-note .error")).not.toBeEmpty();
  await expect(teacher.locator("#duration_minutes")).toHaveValue("7");
  await expect(teacher.locator("#purpose")).toHaveValue("Lesson 3, convolution");
  await expect(teacher.locator("#course")).toHaveValue(course);
});

test("the mended order goes through, and sending it twice makes one", async () => {
  await teacher.locator("#duration_minutes").fill("60");
  await submitOrder();
  await teacher.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  order = new URL(teacher.url()).pathname;
  await teacher.goBack();
  await submitOrder();
  await teacher.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  expect(new URL(teacher.url()).pathname).toBe(order);
});

test("a rejection needs a reason, and the requester reads it", async () => {
  await manager.goto(order.replace("/orders/", "/approvals/"));
  await manager.locator('summary[data-kind="danger"]').click();
  await manager.locator('details button[data-kind="danger-solid"]').click();
  await expect(manager.locator("#reason-note .error")).not.toBeEmpty();
  await manager.locator("#reason").fill("Too few cards in this week");
  await manager.locator('details button[data-kind="danger-solid"]').click();
  await teacher.goto(order);
  await expect(teacher.locator("main")).toContainText("Too few cards in this week");
});
