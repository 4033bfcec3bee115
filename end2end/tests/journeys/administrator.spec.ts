// The administrator: courses, people and their links, lists, announcements, prices, rules, adjustments.
import { readFileSync } from "node:fs";
import { type Page, expect } from "@playwright/test";
import { type Visitor, journey } from "../../support/journey.ts";
import { hydrated, test } from "../../support/pages.ts";

const LIN = { login: "lin.xia", name: "林夏", password: "a sentence that nobody guesses" };
const SECOND = "another sentence of the same person";
const ORDER = { offering: "jupyterlab-2xa100-1tb", course: "QA2501", parameters: {}, duration_minutes: 60 };

const field = (page: Page, id: string) => page.locator(`[id="${id}"]`);
const error = (page: Page, id: string) => page.locator(`[id="${id}-note"] .error`);

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

journey("the administrator", (story) => {
  const { w, as, api } = story;
  let course = "";
  let person = "";
  let lin: Visitor;

  /** Presses the button and waits for the page that the form leads to. */
  const send = async (page: Page, name: string | RegExp, within = page.locator("main")): Promise<void> => {
    await Promise.all([page.waitForEvent("framenavigated"), within.getByRole("button", { name, exact: true }).first().click()]);
    await page.waitForLoadState();
    await hydrated(page);
  };
  /** Opens the dialog, cancels it once, and then consents. */
  const confirm = async (page: Page, opens: string | RegExp, consents: string | RegExp, within = page.locator("main")): Promise<void> => {
    const dialog = page.getByRole("dialog");
    for (const name of [w("components.cancel"), consents]) {
      await within.getByRole("button", { name: opens, exact: true }).first().click();
      await dialog.getByRole("button", { name, exact: true }).click();
      await expect(dialog).toHaveCount(0);
    }
    await page.waitForLoadState();
    await hydrated(page);
  };
  const oneTimeLink = async (page: Page): Promise<string> => {
    await expect(page.locator("#one-time-link")).toContainText(w("people.link_once"));
    return new URL(await page.getByLabel(w("people.link")).first().inputValue()).pathname;
  };

  test("1. makes a department and a course; what is wrong stands at its field and what was typed stays", async () => {
    const page = await as("administrator");
    await open(page, "/courses");
    await field(page, "department_name").fill("人工智能系");
    await send(page, w("courses.add_department"), page.locator("#new-department"));
    await expect(error(page, "department_name")).toHaveText(w("errors.taken"));
    await expect(field(page, "department_name")).toHaveValue("人工智能系");
    await field(page, "department_name").fill("质量与安全系");
    await send(page, w("courses.add_department"), page.locator("#new-department"));
    await expect(page.locator("#tree")).toContainText("质量与安全系");

    const form = page.locator("#new-course");
    await form.locator("#code").fill("no spaces!");
    await form.locator("#name").fill("智能测试");
    await form.locator("#budget").fill("a lot");
    await form.locator("#cards").fill("-1");
    await send(page, w("courses.add_course"), form);
    for (const id of ["code", "budget", "cards"]) await expect(error(page, id), id).not.toBeEmpty();
    await expect(field(page, "name")).toHaveValue("智能测试");
    await expect(field(page, "budget")).toHaveValue("a lot");
    await field(page, "code").fill("QA2501");
    await field(page, "budget").fill("2000");
    await field(page, "cards").fill("6");
    await form.locator("#department").selectOption({ label: "质量与安全系" });
    await send(page, w("courses.add_course"), form);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("QA2501 智能测试");
    course = new URL(page.url()).pathname;
    await expect(page.locator("main")).toContainText("¥2,000.00");

    await field(page, "quota[running_labs]").fill("many");
    await send(page, w("courses.save_quota"), page.locator("#quota"));
    await expect(error(page, "quota[running_labs]")).toHaveText(w("errors.not_a_number"));
    await expect(field(page, "quota[running_labs]")).toHaveValue("many");
    await field(page, "quota[running_labs]").fill("5");
    await send(page, w("courses.save_quota"), page.locator("#quota"));
    await field(page, "budget[amount]").fill("2500");
    await field(page, "budget[notify]").fill("50, 80");
    await send(page, w("courses.save_budget"), page.locator("#budget"));
    await page.reload();
    await expect(field(page, "quota[running_labs]")).toHaveValue("5");
    await expect(field(page, "budget[notify]")).toHaveValue("50, 80");
    await expect(page.locator("main")).toContainText("¥2,500.00");
  });

  test("2. invites a teacher by a one-time link, who joins and is signed in; the link works once", async () => {
    const page = await as("administrator");
    await open(page, "/people");
    const form = page.locator("#invite");
    await form.locator("#login").fill("teacher");
    await form.locator("#name").fill(LIN.name);
    await form.getByLabel(w("people.role_teacher")).check();
    await form.getByLabel("QA2501").check();
    await send(page, w("people.make_link"), form);
    await expect(error(page, "login")).toHaveText(w("errors.taken"));
    await expect(field(page, "name")).toHaveValue(LIN.name);
    await form.locator("#login").fill(LIN.login);
    await form.getByLabel(w("people.role_teacher")).check();
    await form.getByLabel("QA2501").check();
    await send(page, w("people.make_link"), form);
    person = new URL(page.url()).pathname;
    const link = await oneTimeLink(page);
    await page.reload();
    await expect(page.getByText(w("people.link_gone"), { exact: true })).toBeVisible();
    await hydrated(page);

    lin = await story.stranger("server");
    await open(lin, link);
    await expect(lin.getByText(w("join.lead_invite", { college: "信息工程学院" }))).toBeVisible();
    await lin.locator("#password").fill("short");
    await lin.getByRole("button", { name: w("join.submit") }).click();
    await expect(error(lin, "password")).toHaveText(w("errors.too_short", { min: 10 }));
    await hydrated(lin);
    await lin.locator("#password").fill(LIN.password);
    await lin.getByRole("button", { name: w("join.submit") }).dblclick();
    await lin.waitForURL(`${story.server.url}/`);
    await expect(lin.getByRole("heading", { level: 1 })).toHaveText(w("home.greeting", { name: LIN.name }));
    await expect(lin.locator("main")).toContainText("QA2501");
    const late = await story.stranger();
    await late.goto(link);
    await expect(late.getByRole("heading", { level: 1 })).toHaveText(w("join.over_title"));
    await expect(late.getByText(w("errors.link_over"))).toBeVisible();
    await late.context().close();

    await open(page, course);
    await expect(page.locator("#members")).toContainText(LIN.name);
    await open(page, `/people?text=${LIN.login}`);
    await expect(page.locator("tbody tr")).toHaveCount(1);
    await expect(page.locator("tbody tr")).toContainText(w("people.active"));
  });

  test("3. gives a role at a department, which shows at once, and takes it again", async () => {
    const page = await as("administrator");
    await open(lin, "/");
    await expect(lin.getByRole("link", { name: w("layout.approvals") })).toHaveCount(0);
    await open(page, person);
    const add = page.locator("form").filter({ has: page.getByRole("button", { name: w("people.add_post"), exact: true }) });
    await add.locator("#department").selectOption({ label: "人工智能系" });
    await send(page, w("people.add_post"), add);
    const roles = String(w("people.role_manager"));
    await expect(page.locator("main")).toContainText(w("people.roles_at", { roles, department: "人工智能系" }));
    await open(lin, "/approvals");
    await expect(lin.getByRole("heading", { level: 1 })).toHaveText(w("approvals.title"));
    const post = page.locator("form").filter({ has: page.getByRole("heading", { name: "人工智能系" }) });
    await post.getByLabel(w("people.role_manager")).uncheck();
    await send(page, w("common.save"), post);
    await expect(page.locator("main")).not.toContainText(w("people.roles_at", { roles, department: "人工智能系" }));
    await open(lin, "/");
    await expect(lin.getByRole("link", { name: w("layout.approvals") })).toHaveCount(0);
  });

  test("4. resets the password by a link, and disabling ends the session at once", async () => {
    const page = await as("administrator");
    await open(page, person);
    await send(page, w("people.reset"));
    const link = await oneTimeLink(page);
    const reset = await story.stranger();
    await open(reset, link);
    await expect(reset.getByText(w("join.lead_reset", { name: LIN.name }))).toBeVisible();
    await reset.locator("#password").fill(SECOND);
    await reset.getByRole("button", { name: w("join.submit") }).click();
    await reset.waitForURL(`${story.server.url}/`);
    await lin.goto("/orders");
    await expect(lin, "signed out everywhere else").toHaveURL(/\/sign-in/);
    await lin.context().close();

    await confirm(page, w("people.disable"), w("people.disable"));
    await expect(page.locator("main")).toContainText(w("people.no_sessions"));
    await expect(page.locator(".pill").filter({ hasText: w("people.disabled") })).toBeVisible();
    await reset.goto("/orders");
    await expect(reset).toHaveURL(/\/sign-in/);
    const enter = async (password: string) => {
      await open(reset, "/sign-in");
      await reset.locator("#login").fill(LIN.login);
      await reset.locator("#password").fill(password);
      await reset.locator("form.signin button").click();
    };
    await enter(SECOND);
    await expect(reset.getByText(w("errors.sign_in_failed"))).toBeVisible();
    await send(page, w("people.enable"));
    await enter(SECOND);
    await reset.waitForURL(`${story.server.url}/`);
    lin = reset;

    // Nobody takes the role from themselves.
    await open(page, "/people?role=administrator");
    await page.locator("tbody a").first().click();
    await expect(page.locator("#college-administrator")).toBeDisabled();
    await expect(page.getByText(w("people.own_role_help"))).toBeVisible();
    await send(page, w("common.save"), page.locator("form").filter({ has: page.locator("#college-administrator") }));
    await expect(page.locator("#college-administrator")).toBeChecked();
  });

  test("5. imports people from a list: a bad row is mended, each row has its result, the links are taken once", async () => {
    const page = await as("administrator");
    await open(page, "/imports");
    const rows = ["chen.yi,陈一,teacher,QA2501", "bad login!,王二,teacher,QA2501", "teacher2,示范教师乙,teacher,QA2501"];
    const list = ["account,name,roles,courses", ...rows, ""].join("\n");
    await page.locator("#file").setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(list) });
    await send(page, w("imports.look"));
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("people.csv");
    const row = (text: string) => page.locator("tbody tr").filter({ hasText: text });
    await expect(row("陈一")).toContainText(w("imports.new"));
    await expect(row("teacher2")).toContainText(w("imports.change"));
    await expect(row("王二")).toContainText(w("imports.error"));
    await open(page, "/people?text=chen.yi");
    await expect(page.getByText(w("people.none_title")), "a preview makes nobody").toBeVisible();
    await page.goBack();
    await hydrated(page);
    await row("王二").locator('input[aria-invalid="true"]').fill("wang.er");
    await send(page, w("imports.mend_row"), row("王二"));
    await expect(row("王二")).toContainText(w("imports.new"));
    await page.getByRole("button", { name: w("imports.start", { count: 3 }) }).dblclick();
    await expect(page.getByText(w("imports.done"), { exact: true }).first()).toBeVisible({ timeout: 30_000 });
    await expect(row("陈一")).toContainText(w("imports.made"));
    await expect(row("teacher2")).toContainText(w("imports.changed"));

    const result = page.waitForEvent("download");
    await page.getByRole("link", { name: w("imports.download") }).click();
    const text = readFileSync(await (await result).path(), "utf8");
    for (const login of ["chen.yi", "wang.er", "teacher2"]) expect(text).toContain(login);
    const links = page.waitForEvent("download");
    await page.getByRole("button", { name: w("imports.take_links") }).click();
    const secret = /\/join\/[\w-]+/.exec(readFileSync(await (await links).path(), "utf8"))?.[0] ?? "";
    await page.reload();
    await expect(page.getByRole("button", { name: w("imports.take_links") })).toHaveCount(0);
    const somebody = await story.stranger();
    await open(somebody, secret);
    await expect(somebody.getByText(w("join.lead_invite"))).toBeVisible();
    await somebody.context().close();
    await open(page, course);
    for (const name of ["陈一", "王二", "示范教师乙"]) await expect(page.locator("#members")).toContainText(name);
  });

  test("6. announces maintenance, which everybody sees until it is ended", async () => {
    const page = await as("administrator");
    const teacher = await as("teacher");
    await open(page, "/announcements");
    await field(page, "announcement[zh]").fill("周六维护集群");
    await field(page, "announcement[en]").fill("Maintenance on Saturday");
    await field(page, "announcement[level]").selectOption("maintenance");
    await field(page, "announcement[to]").fill("2020-01-01T10:00");
    await send(page, w("announcements.publish"));
    await expect(error(page, "announcement[to]")).not.toBeEmpty();
    await expect(field(page, "announcement[en]")).toHaveValue("Maintenance on Saturday");
    const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    await field(page, "announcement[to]").fill(`${day}T10:00`);
    await send(page, w("announcements.publish"));
    const text = story.language === "en" ? "Maintenance on Saturday" : "周六维护集群";
    await expect(page.locator("tbody tr")).toHaveCount(1);
    await open(teacher, "/catalogue");
    await expect(teacher.getByText(text)).toBeVisible();
    await expect(teacher.getByText(`${day} 10:00`)).toBeVisible();
    const nobody = await story.stranger();
    await nobody.goto("/sign-in");
    await expect(nobody.getByText(text)).toBeVisible();
    await nobody.context().close();
    await confirm(page, w("announcements.end"), w("announcements.end"));
    await expect(page.locator("tbody tr")).toContainText(w("announcements.ended"));
    await open(teacher, "/catalogue");
    await expect(teacher.getByText(text)).toHaveCount(0);
  });

  test("7. a dated price and a discount are previewed before they are saved; estimates follow the discount", async () => {
    const page = await as("administrator");
    const teacher = await as("teacher");
    await open(page, "/prices");
    await field(page, "meter").selectOption("gpu-a100-80g-hour");
    await field(page, "price").fill("cheap");
    await send(page, w("prices.preview"));
    await expect(error(page, "price")).not.toBeEmpty();
    await expect(field(page, "price")).toHaveValue("cheap");
    const from = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    await field(page, "price").fill("6.20");
    await field(page, "from").fill(from);
    await send(page, w("prices.preview"));
    await expect(page.locator("#preview")).toContainText("¥6.20");
    await expect(page.locator("#preview")).toContainText("¥5.40");
    const card = page.getByRole("row", { name: /^A100 80 GB ¥/ });
    await expect(card, "a preview saves nothing").not.toContainText("¥6.20");
    await send(page, w("prices.save"), page.locator("#preview"));
    await expect(card).toContainText("¥5.40");
    await expect(card).toContainText(w("prices.planned_from", { price: `¥6.20 / ${w("billing.per_card_hour")}`, at: from }));

    await page.getByRole("link", { name: w("prices.new_discount") }).click();
    await field(page, "percent").fill("120");
    await field(page, "reason").fill("期末优惠");
    await send(page, w("prices.grant"));
    await expect(error(page, "percent")).not.toBeEmpty();
    await expect(field(page, "reason")).toHaveValue("期末优惠");
    await field(page, "percent").fill("50");
    await send(page, w("prices.grant"));
    await expect(page.locator("#preview")).toContainText(w("prices.percent_off", { percent: 50 }));
    await send(page, w("prices.grant_save"), page.locator("#preview"));
    await expect(page.getByRole("row", { name: /期末优惠/ })).toContainText(w("prices.state_holds"));
    await open(teacher, "/catalogue/jupyterlab-2xa100-1tb/order");
    await teacher.locator("#duration_minutes").fill("60");
    await expect(teacher.locator("main")).toContainText("¥8.25");
    await confirm(page, w("prices.end"), w("prices.end_confirm"));
    await expect(page.getByRole("row", { name: /期末优惠/ })).toContainText(w("prices.state_over"));
    await open(teacher, "/prices");
    await expect(teacher.getByRole("button", { name: w("prices.preview") })).toHaveCount(0);
  });

  test("8. a rule with two stages is tried on the past, put in force, and asks two people", async () => {
    const page = await as("administrator");
    const manager = await as("manager");
    await api("teacher2", ["orders:write"])("POST", "/orders", ORDER);
    await open(page, "/policies/new");
    await field(page, "rule[name_zh]").fill("两张以上要两级");
    await field(page, "rule[name_en]").fill("Two cards and more");
    await field(page, "rule[cards_is]").selectOption("over");
    await field(page, "rule[cards]").fill("lots");
    await field(page, "rule[stage2]").selectOption("administrator");
    await send(page, w("policies.save"));
    await expect(error(page, "rule[cards]")).not.toBeEmpty();
    await expect(field(page, "rule[name_zh]")).toHaveValue("两张以上要两级");
    await expect(field(page, "rule[stage2]")).toHaveValue("administrator");
    await field(page, "rule[cards]").fill("1 3/7");
    await send(page, w("policies.save"));
    const name = story.language === "en" ? "Two cards and more" : "两张以上要两级";
    const rules = page.locator(".rule-card h3");
    for (let at = (await rules.allTextContents()).indexOf(name); at > 0; at -= 1) await send(page, w("policies.up", { name }));
    await expect(rules.first()).toHaveText(name);
    await expect(page.getByRole("row", { name: /QA2501/ }), "the dry run names the order").toContainText(w("orders.role_budget_owner"));
    const before = await api("teacher2", ["orders:write"])("POST", "/orders", ORDER);
    expect(before.approval.stages, "a draft decides nothing").toEqual(["manager"]);
    await confirm(page, w("policies.publish"), w("policies.publish"));
    await expect(page.locator("main")).toContainText(w("policies.lead", { version: 2 }));

    const order = await api("teacher2", ["orders:write"])("POST", "/orders", ORDER);
    expect(order.approval.stages).toEqual(["manager", "administrator"]);
    const approve = w("approvals.approve");
    await open(manager, `/approvals/${order.id}`);
    await manager.getByRole("button", { name: approve, exact: true }).click();
    await expect(manager.getByText(w("decisions.done_passed", { number: order.number }))).toBeVisible();
    const teacher = await as("teacher2");
    await open(teacher, `/orders/${order.id}`);
    const budgetOwner = String(w("orders.role_budget_owner"));
    await expect(teacher.getByText(w("decisions.stage_of", { number: 2, count: 2, role: budgetOwner }))).toBeVisible();
    await expect(teacher.locator('aside a[href^="/labs/"]')).toHaveCount(0);
    await open(manager, `/approvals/${order.id}`);
    await expect(manager.getByRole("button", { name: approve, exact: true })).toHaveCount(0);
    await open(page, "/approvals");
    await page.locator(`a[href="/approvals/${order.id}"]`).click();
    await page.getByRole("button", { name: approve, exact: true }).click();
    await expect(page.getByText(w("approvals.done_approved", { number: order.number }))).toBeVisible();
    await open(teacher, `/orders/${order.id}`);
    await expect(teacher.locator('aside a[href^="/labs/"]')).toBeVisible();
  });

  test("9. an adjustment with its reason enters this month's bill once; the running month cannot be closed", async () => {
    const page = await as("administrator");
    await open(page, "/billing/adjustments");
    await field(page, "course").fill("XX0000");
    await field(page, "amount").fill("-5");
    await field(page, "reason").fill("实验室停电 power cut");
    await send(page, w("bills.add"));
    await expect(error(page, "amount")).not.toBeEmpty();
    await expect(field(page, "reason")).toHaveValue("实验室停电 power cut");
    await field(page, "amount").fill("12.50");
    await send(page, w("bills.add"));
    await expect(error(page, "course")).not.toBeEmpty();
    await field(page, "course").fill("QA2501");
    await page.getByRole("button", { name: w("bills.add") }).dblclick();
    await expect(page.getByRole("row", { name: /power cut/ })).toHaveCount(1);
    await expect(page.getByRole("row", { name: /power cut/ })).toContainText("-¥12.50");
    await page.reload();
    await expect(page.getByRole("row", { name: /power cut/ }), "a double click adds one").toHaveCount(1);
    await open(page, "/billing/months");
    await expect(page.locator("tbody tr").first()).toContainText(w("bills.state_running"));
    await expect(page.locator("tbody tr").first()).toContainText("-¥12.50");
    await expect(page.getByRole("button", { name: w("bills.close"), exact: true })).toHaveCount(0);
  });

  test("10. what is typed before the scripts have arrived is kept", async () => {
    const page = await story.stranger();
    await page.route("**/*.wasm", async (route) => {
      await new Promise((done) => setTimeout(done, 1_000));
      await route.continue();
    });
    await page.goto("/sign-in");
    await page.locator("#login").fill("administrator");
    await hydrated(page);
    await expect(page.locator("#login")).toHaveValue("administrator");
    expect(page.faults).toEqual([]);
    await page.context().close();
    expect(lin.faults).toEqual([]);
  });
});
