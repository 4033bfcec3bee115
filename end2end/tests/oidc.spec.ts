// Signing in through an identity provider: there and back, who is let in, and what the page says to everybody else.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type Page, expect } from "@playwright/test";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { type Claims, IdentityProvider } from "../support/provider.ts";
import { Server } from "../support/server.ts";
import { LANGUAGES, words } from "../support/words.ts";

const SECRET = "a secret that no log shows";
const w = words("en");
const TEACHER: Claims = { sub: "u-1", preferred_username: "Teacher", name: "Li Hua", email: "li@example.edu" };

/** Flags of a server whose people may come through this provider. */
function flags(folder: string, issuer: string, more = ""): string[] {
  const [config, secret] = [join(folder, "lectern.toml"), join(folder, "secret")];
  writeFileSync(secret, `${SECRET}\n`);
  const name = '{ zh = "校园统一认证", en = "Campus" }';
  writeFileSync(config, `[oidc]\nissuer = "${issuer}"\nclient_id = "lectern"\nclient_secret_file = "${secret}"\nname = ${name}\n${more}`);
  return ["--demo", "--config", config];
}

const through = (page: Page) => page.locator('a[href^="/sign-in/oidc"]');
const refusal = (page: Page) => page.locator("form.signin .note");

test.describe("through an identity provider", () => {
  test.describe.configure({ mode: "serial" });
  let folder: string;
  let provider: IdentityProvider;
  let server: Server;
  let browser: Browser;

  test.beforeAll(async ({ browser: opened }) => {
    browser = opened;
    folder = mkdtempSync(join(tmpdir(), "lectern-oidc-"));
    provider = await IdentityProvider.start();
    server = await Server.start(flags(folder, provider.issuer));
    provider.serve(server.url, SECRET);
  });
  test.afterAll(async () => {
    await server?.stop();
    await provider?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A browser of its own, in which this person follows the link on the sign-in page. */
  async function comes(person: Claims | null, options = {}): Promise<Page & { faults: string[] }> {
    provider.person = person;
    const page = await openPage(browser, server, options);
    await page.goto("/sign-in");
    await through(page).click();
    return page;
  }

  test("the link leads there and back to where one was going", async () => {
    provider.person = TEACHER;
    const page = await openPage(browser, server);
    await page.goto("/orders?state=running");
    await expect(through(page)).toHaveText(w("session.through", { name: "Campus" }));
    await expect(page.locator("#login")).toBeVisible();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await hydrated(page);
    const callback = page.waitForRequest(/\/sign-in\/oidc\/callback/);
    await through(page).click();
    await page.waitForURL(`${server.url}/orders?state=running`);

    await page.goto("/account");
    await expect(page.locator("main")).toContainText("Campus");
    await expect(page.locator("main .mono").first()).toHaveText("teacher");
    expect(page.faults).toEqual([]);

    // What the provider sent is good once, in this browser.
    const used = (await callback).url();
    const elsewhere = await openPage(browser, server);
    for (const visit of [page, elsewhere]) {
      await visit.goto(used);
      await expect(refusal(visit)).toContainText(w("errors.sign_in_over"));
    }
    await elsewhere.goto("/orders");
    await expect(elsewhere).toHaveURL(/\/sign-in\?back=/);
  });

  test("the second sign-in finds the same account, whatever it is called by then", async () => {
    const page = await comes({ ...TEACHER, preferred_username: "renamed" });
    await page.waitForURL(`${server.url}/`);
    await page.goto("/account");
    await expect(page.locator("main .mono").first()).toHaveText("teacher");
  });

  test("it works without scripts, and signing out ends the session", async () => {
    const page = await comes(TEACHER, { javaScriptEnabled: false });
    await page.waitForURL(`${server.url}/`);
    const [cookie] = (await page.context().cookies(server.url)).filter(({ name }) => name === "lectern");
    await page.locator('form[action="/sign-out"] button').first().dispatchEvent("click");
    await page.waitForURL(/\/sign-in$/);
    await page.context().addCookies([cookie!]);
    await page.goto("/orders");
    await expect(page).toHaveURL(/\/sign-in\?back=/);
  });

  test("two tabs at once both arrive where they were going", async () => {
    provider.person = TEACHER;
    const page = await openPage(browser, server);
    const begun: string[] = [];
    for (const back of ["/labs", "/orders"]) {
      const answer = await page.context().request.get(`/sign-in/oidc?back=${back}`, { maxRedirects: 0 });
      begun.push(answer.headers().location!);
    }
    expect(new URL(begun[0]!).searchParams.get("code_challenge_method")).toBe("S256");
    for (const [tab, url] of begun.entries()) {
      await page.goto(url);
      await expect(page).toHaveURL(`${server.url}${["/labs", "/orders"][tab]}`);
    }
  });

  test("nobody is sent to another site afterwards", async () => {
    provider.person = TEACHER;
    const page = await openPage(browser, server);
    await page.goto("/sign-in/oidc?back=//evil.example/");
    await page.waitForURL(`${server.url}/`);
  });

  for (const language of LANGUAGES) {
    test(`somebody unknown is told whom to ask, ${language}`, async () => {
      provider.person = { sub: `u-${language}`, preferred_username: "wang.wei" };
      const page = await openPage(browser, server);
      await page.context().addCookies([{ name: "language", value: language, url: server.url }]);
      await page.goto("/sign-in?back=/labs");
      await through(page).click();
      await page.waitForURL(`${server.url}/sign-in?back=/labs`);
      await expect(refusal(page)).toContainText(words(language)("errors.no_account", { login: "wang.wei" }));
      await page.reload();
      await expect(refusal(page)).toHaveCount(0);
    });
  }

  test("an account belongs to who came first under its name", async () => {
    const page = await comes({ ...TEACHER, sub: "u-2" });
    await expect(refusal(page)).toContainText(w("errors.no_account", { login: "teacher" }));
  });

  test("who declines comes back and may sign in here", async () => {
    const page = await comes(null);
    await page.waitForURL(`${server.url}/sign-in`);
    await expect(refusal(page)).toContainText(w("errors.provider_refused"));
    await signIn(page, server, "manager");
  });

  test("a made-up answer is refused", async () => {
    const page = await openPage(browser, server);
    await page.goto("/sign-in/oidc/callback?code=made-up&state=made-up");
    await expect(refusal(page)).toContainText(w("errors.sign_in_over"));
    await page.goto("/sign-in/oidc/callback");
    await expect(refusal(page)).toContainText(w("errors.sign_in_over"));
  });

  test("a disabled account stays shut", async () => {
    server.command("user", "disable", "operator");
    const page = await comes({ sub: "u-3", preferred_username: "operator" });
    await expect(refusal(page)).toContainText(w("errors.account_disabled"));
  });

  test("administrators see it, auditors too, and its owner removes it", async () => {
    const administrator = await openPage(browser, server);
    await signIn(administrator, server, "administrator");
    await administrator.goto("/people?text=teacher");
    await administrator.locator('main a[href^="/people/"]').first().click();
    await expect(administrator.locator("main dl")).toContainText(w("people.provider") as string);

    const auditor = await openPage(browser, server);
    await signIn(auditor, server, "auditor");
    await auditor.goto("/audit?action=identity.");
    await expect(auditor.locator("main")).toContainText(w("audit.action_identity_link"));

    const page = await comes(TEACHER);
    await page.waitForURL(`${server.url}/`);
    await page.goto("/account");
    await hydrated(page);
    await page.getByRole("button", { name: w("account.remove_identity") as string, exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: w("account.remove_identity") as string }).click();
    await expect(page.locator("main")).not.toContainText(w("account.identity_since"));
    await expect(page.locator("#current")).toBeVisible();
  });

  test("a new key of the provider is read when it is needed", async () => {
    provider.serve(server.url, SECRET);
    const page = await comes(TEACHER);
    await page.waitForURL(`${server.url}/`);
  });

  test("a provider that goes away in the middle is said so, and no secret is in the log", async () => {
    provider.person = TEACHER;
    const page = await openPage(browser, server);
    // As far as the browser is sent back, and no further.
    let url = `${server.url}/sign-in/oidc`;
    while (!url.includes("/callback")) {
      const answer = await page.context().request.get(url, { maxRedirects: 0 });
      url = new URL(answer.headers().location!, url).href;
    }
    await provider.stop();
    await page.goto(url);
    await expect(refusal(page)).toContainText(w("errors.provider_away"));
    const parameters = new URL(url).searchParams;
    expect(server.output).toContain("the identity provider is away");
    for (const hidden of [SECRET, parameters.get("code")!, parameters.get("state")!]) expect(server.output).not.toContain(hidden);
  });
});

test.describe("while the identity provider is away", () => {
  let folder: string;
  let server: Server;

  test.beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lectern-oidc-"));
    const nobody = await IdentityProvider.start();
    await nobody.stop();
    server = await Server.start(flags(folder, nobody.issuer));
  });
  test.afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the portal starts, says so, and people sign in here", async ({ browser }) => {
    const page = await openPage(browser, server);
    await page.goto("/sign-in?back=/labs");
    await through(page).click();
    await page.waitForURL(`${server.url}/sign-in?back=/labs`);
    await expect(refusal(page)).toContainText(w("errors.provider_away"));
    await signIn(page, server, "teacher");
  });
});

test.describe("where people may come without an account", () => {
  let folder: string;
  let provider: IdentityProvider;
  let server: Server;

  test.beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lectern-oidc-"));
    provider = await IdentityProvider.start();
    server = await Server.start(flags(folder, provider.issuer, "create_accounts = true\n"));
    provider.serve(server.url, SECRET);
  });
  test.afterAll(async () => {
    await server?.stop();
    await provider?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("somebody new gets an account without roles and cannot lock themselves out", async ({ browser }) => {
    provider.person = { sub: "u-9", preferred_username: "wang.wei", name: "王伟" };
    const page = await openPage(browser, server);
    await page.goto("/sign-in");
    await through(page).click();
    await page.waitForURL(`${server.url}/`);
    await page.goto("/account");
    await expect(page.locator("main .mono").first()).toHaveText("wang.wei");
    await expect(page.locator("#name")).toHaveValue("王伟");
    await expect(page.locator("main")).toContainText(w("account.no_role"));
    await expect(page.locator("main")).toContainText(w("account.identity_only"));
    await expect(page.locator("#current")).toHaveCount(0);
  });
});
