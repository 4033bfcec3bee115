// Typed text that comes back to every form: by Back alone, for half an hour, for the person who typed it, and never a secret.
import { type Page, expect } from "@playwright/test";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

const w = words("en");
const FORM = "/catalogue/jupyterlab-slice/order";
const TYPED = "lectern.typed";
const ID = /[0-9a-f-]{36}$/;

let server: Server;
test.beforeAll(async () => {
  server = await Server.start();
});
test.afterAll(async () => {
  await server?.stop();
});

const kept = (page: Page, key: string) => page.evaluate((key) => sessionStorage.getItem(key), key);

/** After what a page does in its first drawings. */
async function drawn(page: Page): Promise<void> {
  await hydrated(page);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Types a purpose into a new order form and leaves it by the link to the roster. */
async function typeAndLeave(page: Page, purpose: string): Promise<void> {
  await page.goto(FORM);
  await drawn(page);
  await page.locator("#course").selectOption("AI2301");
  await page.locator("#purpose").fill(purpose);
  await page.locator('[name="seats"][value="roster"]').check({ force: true });
  await page.locator(".when-roster a").click();
  await page.waitForURL((url) => url.pathname.startsWith("/courses/") && ID.test(url.pathname));
  expect(await kept(page, TYPED)).toContain(purpose);
}

test("Back brings typed text with a way to take it out again; a new visit does not", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "teacher");
  const restored = page.getByText(w("layout.typed_restored"));
  await typeAndLeave(page, "lesson 8");
  await page.goBack();
  await page.waitForURL(`**${FORM}`);
  await expect(page.locator("#purpose")).toHaveValue("lesson 8");
  await expect(page.locator('[name="seats"][value="roster"]')).toBeChecked();
  await expect(restored).toBeVisible();
  await page.getByRole("status").getByRole("button", { name: w("components.undo"), exact: true }).click();
  await expect(page.locator("#purpose")).toHaveValue("");
  await expect(page.locator('[name="seats"][value="one"]')).toBeChecked();
  expect(await kept(page, TYPED)).toBeNull();

  await typeAndLeave(page, "lesson 9");
  await page.goto(FORM);
  await drawn(page);
  await expect(page.locator("#purpose")).toHaveValue("");
  await expect(restored).toHaveCount(0);
  // The form's own links lead to a new one too.
  await page.goto("/catalogue");
  await hydrated(page);
  await page.locator(`main a[href="${FORM}"]`).first().click();
  await page.waitForURL(`**${FORM}`);
  await drawn(page);
  await expect(page.locator("#purpose")).toHaveValue("");
  await expect(restored).toHaveCount(0);
  expect(page.faults).toEqual([]);
});

test("a purpose is part of the preview when it is typed and when Back brings it", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "teacher");
  // The preview refuses a character that reverses the text after it, and the summary names the field.
  const refused = "lesson \u202e13";
  const named = page.locator('#summary a[href="#purpose"]');
  await page.goto(FORM);
  await drawn(page);
  await expect(named).toHaveCount(0);
  await page.locator("#purpose").fill(refused);
  await expect(named).toBeVisible();
  await page.locator("#purpose").fill("lesson 13");
  await expect(named).toHaveCount(0);

  await typeAndLeave(page, refused);
  await page.goBack();
  await page.waitForURL(`**${FORM}`);
  await expect(page.locator("#purpose")).toHaveValue(refused);
  await expect(named).toBeVisible();
  await page.locator("#purpose").fill("lesson 14");
  await expect(named).toHaveCount(0);
  expect(page.faults).toEqual([]);
});

test("typed text that is older than half an hour does not come back", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "teacher");
  await typeAndLeave(page, "lesson 10");
  await page.evaluate((key) => {
    const drafts: { kept_at: number }[] = JSON.parse(sessionStorage.getItem(key) ?? "");
    sessionStorage.setItem(key, JSON.stringify(drafts.map((draft) => ({ ...draft, kept_at: draft.kept_at - 31 * 60_000 }))));
  }, TYPED);
  await page.goBack();
  await page.waitForURL(`**${FORM}`);
  await expect(page.locator("#purpose")).toHaveValue("");
  await expect.poll(() => kept(page, TYPED)).toBeNull();
  await expect(page.locator("#purpose")).toHaveValue("");
});

test("another person who signs in removes what was typed", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "teacher");
  await typeAndLeave(page, "lesson 11");
  await page.context().clearCookies({ name: "lectern" });
  await signIn(page, server, "manager");
  await hydrated(page);
  await expect.poll(() => kept(page, TYPED)).toBeNull();
});

test("Back brings the text of every page on the way, each its own", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "administrator");
  const announcement = page.locator('[name="announcement[en]"]');
  const rule = page.locator('[name="rule[name_en]"]');
  await page.goto("/announcements");
  await drawn(page);
  await announcement.fill("The hall is closed");
  await page.locator('nav a[href="/policies"]').first().click();
  await page.waitForURL("**/policies");
  await page.locator('main a[href="/policies/new"]').first().click();
  await page.waitForURL("**/policies/new");
  await drawn(page);
  await rule.fill("Long lessons");
  await page.locator('nav a[href="/"]').first().click();
  await page.waitForURL(`${server.url}/`);

  await page.goBack();
  await page.waitForURL("**/policies/new");
  await expect(rule).toHaveValue("Long lessons");
  await expect(page.getByText(w("layout.typed_restored"))).toBeVisible();
  await page.goBack();
  await page.waitForURL("**/policies");
  await page.goBack();
  await page.waitForURL("**/announcements");
  await expect(announcement).toHaveValue("The hall is closed");
  // Forward too, and after a load of the document.
  await page.goForward();
  await page.goForward();
  await page.waitForURL("**/policies/new");
  await expect(rule).toHaveValue("Long lessons");
  await page.goto("/account");
  await hydrated(page);
  await page.goBack();
  await page.waitForURL("**/policies/new");
  await expect(rule).toHaveValue("Long lessons");
  // A link leads to a new form.
  await page.locator('nav a[href="/announcements"]').first().click();
  await page.waitForURL("**/announcements");
  await drawn(page);
  await expect(announcement).toHaveValue("");
  expect(page.faults).toEqual([]);
});

test("switching the language keeps what was typed, and never a secret", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "teacher");
  await page.goto(FORM);
  await drawn(page);
  await page.locator("#course").selectOption("AI2301");
  await page.locator("#purpose").fill("lesson 12");
  await page.locator('button.tool[name="language"]').click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await hydrated(page);
  await expect(page.locator("#purpose")).toHaveValue("lesson 12");
  await expect(page.locator("#course")).toHaveValue("AI2301");
  await expect(page.getByText(words("zh-CN")("layout.typed_restored"))).toBeVisible();
  // A later visit brings a new form.
  await page.goto(FORM);
  await drawn(page);
  await expect(page.locator("#purpose")).toHaveValue("");
  expect(await kept(page, "lectern.switch")).toBeNull();
  expect(page.faults).toEqual([]);
});

test("switching the language of the sign-in page keeps the account and not the password", async ({ browser }) => {
  const page = await openPage(browser, server);
  await page.goto("/sign-in");
  await drawn(page);
  await page.locator("#login").fill("teacher");
  await page.locator("#password").fill("not kept");
  await page.locator('button.tool[name="language"]').click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await hydrated(page);
  await expect(page.locator("#login")).toHaveValue("teacher");
  await expect(page.locator("#password")).toHaveValue("");
});

test("switching the language of an offering's form keeps the name of a secret and says that its value is gone", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "operator");
  await page.goto("/offerings/vscode");
  await drawn(page);
  const field = (name: string) => page.locator(`[name="fields[${name}]"]`);
  await field("name.en").fill("A switched name");
  await field("base.secrets.0.name").fill("HF_TOKEN");
  await field("base.secrets.0.value").fill("not kept as a secret");
  await page.locator('button.tool[name="language"]').click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await hydrated(page);
  await expect(field("name.en")).toHaveValue("A switched name");
  await expect(field("base.secrets.0.name")).toHaveValue("HF_TOKEN");
  await expect(field("base.secrets.0.value")).toHaveValue("");
  await expect(page.getByText(words("zh-CN")("layout.typed_restored_without_secrets"))).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain("not kept");

  // A refused form comes with what was typed once only.
  await field("base.port").fill("many");
  await field("name.en").press("Enter");
  await expect(field("base.port")).toHaveAttribute("aria-invalid", "true");
  await drawn(page);
  await page.locator('button.tool[name="language"]').click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await hydrated(page);
  await expect(field("base.port")).toHaveValue("many");
  await expect(field("name.en")).toHaveValue("A switched name");
});

test("secrets of an offering are not kept when the session ends in its form", async ({ browser }) => {
  const page = await openPage(browser, server);
  await signIn(page, server, "operator");
  await page.goto("/offerings/vscode");
  await hydrated(page);
  const field = (name: string) => page.locator(`[name="fields[${name}]"]`);
  await field("name.en").fill("Another name");
  await field("base.environment").fill("NOT_KEPT=in the environment");
  await field("base.secrets.0.name").fill("HF_TOKEN");
  await field("base.secrets.0.value").fill("not kept as a secret");
  await page.context().clearCookies({ name: "lectern" });
  await field("name.en").press("Enter");
  await page.waitForURL((url) => url.pathname === "/sign-in");
  const draft = (await kept(page, "lectern.draft")) ?? "";
  expect(draft).toContain("Another name");
  expect(draft).toContain("HF_TOKEN");
  expect(draft.toLowerCase()).not.toContain("not_kept");
  expect(draft).not.toContain("not kept");

  await signIn(page, server, "operator");
  await page.goto("/offerings/vscode?tab=yaml");
  await hydrated(page);
  await page.locator("#yaml").fill("base: { environment: { NOT_KEPT: x } }");
  await page.context().clearCookies({ name: "lectern" });
  await page.getByRole("button", { name: w("offerings.yaml_save") }).click();
  await page.waitForURL((url) => url.pathname === "/sign-in");
  expect((await kept(page, "lectern.draft")) ?? "").not.toContain("NOT_KEPT");
});

test("a price and the login of an invitation come back after signing in again", async ({ browser }) => {
  const page = await openPage(browser, server);
  for (const [path, name, text] of [
    ["/prices", "price", "2.5"],
    ["/people", "login", "li.hua"],
  ] as const) {
    await signIn(page, server, "administrator");
    await page.goto(path);
    await drawn(page);
    const field = page.locator(`main form:not([role="search"]) [name="${name}"]`).first();
    await field.fill(text);
    const answer = await page.context().request.post("/sign-out", { headers: { origin: server.url }, maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    const notice = page.locator("main .note", { hasText: w("errors.unauthenticated") });
    await notice.getByRole("link", { name: w("errors.sign_in"), exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/sign-in");
    await page.locator("#login").fill("administrator");
    await page.locator("#password").fill(server.password("administrator"));
    await page.locator("form.signin button").click();
    await page.waitForURL(`**${path}`);
    await expect(field).toHaveValue(text);
    await page.context().clearCookies({ name: "lectern" });
  }
});
