// The manager: what waits, what a decision would mean, one and many decisions, the bill.
import { readFileSync } from "node:fs";
import { type Download, type Page, expect } from "@playwright/test";
import { journey } from "../../support/journey.ts";
import { hydrated, signIn, test } from "../../support/pages.ts";

interface Order {
  id: string;
  number: number;
  state: string;
  version: number;
  labs: string[];
  estimate: { total: { micros: number } };
}

const TWO_CARDS = { offering: "jupyterlab-2xa100-1tb", course: "AI2301", parameters: {}, duration_minutes: 60 };
const SCOPES = ["orders:read", "orders:write"];

const yuan = (micros: number) => `¥${(Math.round(micros / 10_000) / 100).toLocaleString("en-US", { minimumFractionDigits: 2 })}`;
const error = (page: Page, field: string) => page.locator(`[id="${field}-note"] .error`);

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

const cells = (row: string): string[] => [...row.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((match) => match[1] ?? "");

async function content(download: Download): Promise<Buffer> {
  return readFileSync(await download.path());
}

journey("the manager", (story) => {
  const { w, as, api, language } = story;
  let first: Order;
  let dear: Order;
  let lab = "";

  /** An order over the API, which waits for the manager unless it is small. */
  const place = async (login: string, body: object = {}): Promise<Order> => api(login, SCOPES)("POST", "/orders", { ...TWO_CARDS, ...body });
  const state = async (order: Order): Promise<string> => (await api("manager", SCOPES)("GET", `/orders/${order.id}`)).state;

  test("1. nothing waits, and the rules can be read but not changed", async () => {
    const manager = await as("manager");
    await open(manager, "/");
    await expect(manager.getByText(w("home.nothing_waits"))).toBeVisible();
    await manager.getByRole("link", { name: w("layout.approvals") }).first().click();
    await expect(manager.getByText(w("approvals.empty_title"))).toBeVisible();
    await manager.getByRole("link", { name: w("layout.policies") }).first().click();
    await expect(manager.getByRole("heading", { level: 1 })).toHaveText(w("policies.title"));
    await expect(manager.getByText(w("policies.read_only"))).toBeVisible();
    const rule = manager.locator(".rule-card").filter({ hasText: w("policies.cards_over_one") });
    await expect(rule).toContainText(w("orders.role_manager"));
    await expect(manager.getByRole("link", { name: w("policies.add") })).toHaveCount(0);
    await expect(manager.locator(".rule-card form")).toHaveCount(0);
    const answer = await manager.goto("/policies/new");
    expect(answer?.status()).toBe(404);
    await expect(manager.getByRole("heading", { level: 1 })).toHaveText(w("layout.not_found_title"));
  });

  test("2. an order arrives on the open page and in the bell without a reload", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    await open(manager, "/");
    await expect(manager.getByRole("button", { name: w("notifications.bell"), exact: true })).toBeVisible();
    await open(teacher, "/catalogue/jupyterlab-2xa100-1tb/order");
    await teacher.locator("#course").selectOption("AI2301");
    await teacher.locator("#duration_minutes").fill("60");
    await teacher.locator("#purpose").fill("毕业设计 thesis");
    await teacher.getByRole("button", { name: w("orders.submit") }).first().dblclick();
    await teacher.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    const [mine, ...more]: Order[] = (await api("teacher", SCOPES)("GET", "/orders")).items;
    expect(more, "a double click makes one order").toEqual([]);
    first = mine!;

    await expect(manager.getByText(w("home.lead_waiting", { count: 1 }))).toBeVisible();
    await expect(manager.getByRole("navigation", { name: w("layout.main_navigation") })).toContainText(w("layout.waiting", { count: 1 }));
    await manager.getByRole("button", { name: w("notifications.bell_unread", { count: 1 }) }).click();
    const told = w("notifications.order_waits", { number: first.number, owner: "示范教师甲" });
    await manager.getByRole("dialog", { name: w("notifications.latest") }).getByRole("link", { name: told }).click();
    await manager.waitForURL(`**/approvals/${first.id}`);
    await expect(manager.getByRole("button", { name: w("notifications.bell"), exact: true })).toBeVisible();
  });

  test("3. sees what approving would mean, asks, and reads the answer", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    const other = await place("teacher2", { course: "CV2402" });
    await open(manager, `/approvals/${first.id}`);
    await expect(manager.locator("#decision")).toContainText("毕业设计 thesis");
    const cost = first.estimate.total.micros;
    const what = manager.locator(".whatif");
    await expect(what).toContainText(w("decisions.left_after", { before: "¥4,000.00", after: yuan(4_000_000_000 - cost) }));
    await expect(what.getByRole("meter", { name: w("approvals.cards_of", { code: "AI2301" }) })).toHaveAttribute("aria-valuenow", "6");
    await expect(what).toContainText(w("approvals.quota_left", { left: `30 ${w("quotas.unit_cards")}` }));
    const waits = w("decisions.waiter", { owner: "示范教师乙", course: "CV2402", cards: 2 });
    await expect(what.getByRole("link", { name: waits })).toHaveAttribute("href", `/orders/${other.id}`);
    await expect(what).toContainText(w("decisions.cheaper_none"));

    await manager.getByText(w("decisions.ask"), { exact: true }).click();
    await manager.getByRole("button", { name: w("decisions.ask_confirm") }).click();
    await expect(error(manager, "question")).toHaveText(w("errors.missing"));
    await expect(error(manager, "question")).toBeVisible();
    await hydrated(manager);
    await manager.locator("#question").fill("Why two cards? 为什么要两张？");
    await manager.getByRole("button", { name: w("decisions.ask_confirm") }).click();
    await expect(manager.locator("#talk")).toContainText("Why two cards? 为什么要两张？");

    await open(teacher, "/notifications?filter=unread");
    await teacher.getByRole("link", { name: w("notifications.order_asked", { number: first.number }) }).click();
    await teacher.waitForURL(`**/orders/${first.id}*`);
    await hydrated(teacher);
    await expect(teacher.locator("#talk")).toContainText("为什么要两张？");
    await teacher.getByLabel(w("decisions.answer_text")).fill("   ");
    await teacher.getByRole("button", { name: w("decisions.answer_confirm") }).click();
    await expect(error(teacher, "answer")).toHaveText(w("errors.missing"));
    await hydrated(teacher);
    await teacher.getByLabel(w("decisions.answer_text")).fill("The model is 120 GB. 模型有 120 GB。");
    await teacher.getByRole("button", { name: w("decisions.answer_confirm") }).click();
    await expect(teacher.locator("#talk")).toContainText("The model is 120 GB.");

    await open(manager, "/notifications?filter=unread");
    await manager.getByRole("link", { name: w("notifications.order_answered", { number: first.number }) }).click();
    await expect(manager.locator("#talk")).toContainText("模型有 120 GB。");
    expect(await state(first)).toBe("pending_approval");
  });

  test("4. changes that cost more wait for the requester, who agrees and gets the lab", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    await open(manager, `/approvals/${first.id}`);
    await manager.getByText(w("decisions.change"), { exact: true }).click();
    const form = manager.locator("#change form");
    await form.locator("#duration_minutes").fill("7");
    await form.locator('[id="parameters[cards]"]').fill("3");
    await form.locator("#text").fill("A third one for the test. 第三张用来测试。");
    await form.getByRole("button", { name: w("decisions.change_confirm") }).click();
    await expect(error(manager, "duration_minutes")).toHaveText(w("errors.out_of_range", { min: 60, max: 10080 }));
    await expect(manager.locator('[id="parameters[cards]"]')).toHaveValue("3");
    await expect(manager.locator("#text")).toHaveValue(/第三张/);
    await hydrated(manager);
    await manager.locator("#duration_minutes").fill("60");
    await manager.getByRole("button", { name: w("decisions.change_confirm") }).click();
    await expect(manager.getByText(w("decisions.done_proposed", { number: first.number }))).toBeVisible();
    expect(await state(first)).toBe("awaiting_requester");

    await open(teacher, `/orders/${first.id}`);
    const proposal = teacher.locator("#proposal");
    await expect(proposal).toContainText(w("decisions.proposal_title"));
    await expect(proposal).toContainText(w("decisions.change_line", { what: String(w("decisions.what_cards")), before: 2, after: 3 }));
    await expect(proposal).toContainText("第三张用来测试。");
    // A card costs ¥5.40 an hour.
    const dearer = yuan(first.estimate.total.micros + 5_400_000);
    await expect(proposal).toContainText(w("decisions.proposal_about", { before: yuan(first.estimate.total.micros), after: dearer }));
    await proposal.getByRole("button", { name: w("decisions.accept"), exact: true }).dblclick();
    const link = teacher.locator('aside a[href^="/labs/"]');
    await expect(link).toBeVisible();
    await expect(teacher.locator("#proposal")).toHaveCount(0);
    lab = (await link.getAttribute("href")) ?? "";
    await open(teacher, lab);
    await expect(teacher.getByText(w("labs.state_running")).first()).toBeVisible({ timeout: 30_000 });
    await expect(teacher.locator("main")).toContainText("A100 80 GB × 3");
    await open(manager, "/notifications");
    await expect(manager.getByRole("link", { name: w("notifications.proposal_accepted", { number: first.number }) })).toBeVisible();
  });

  test("5. a cheaper way is filled in by its link; changes that cost less stand at once", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    // Two whole cards do as much as fourteen sevenths, with fewer machines around them.
    const parameters = { card: "a100-80g-2g.20gb", replicas: "7" };
    dear = await place("teacher", { offering: "inference-service", parameters });
    await open(manager, `/approvals/${dear.id}`);
    await expect(manager.locator(".whatif")).toContainText(w("decisions.cheaper_what", { card: "A100 80 GB", cards: 2 }));
    await manager.getByRole("link", { name: w("decisions.cheaper_take") }).click();
    await hydrated(manager);
    await expect(manager.locator('[id="parameters[card]"]')).toHaveValue("a100-80g");
    await expect(manager.locator('[id="parameters[replicas]"]')).toHaveValue("2");
    await manager.locator("#duration_minutes").fill("30");
    await manager.getByRole("button", { name: w("decisions.change_confirm") }).dblclick();
    await expect(manager.getByText(w("approvals.done_approved", { number: dear.number }))).toBeVisible();

    await open(teacher, `/orders/${dear.id}`);
    await expect(teacher.locator("main")).toContainText(w("decisions.step_change"));
    await expect(teacher.locator("main")).toContainText(w("decisions.change_line", { what: String(w("decisions.what_nodes")), before: 7, after: 2 }));
    await expect(teacher.locator('aside a[href^="/labs/"]')).toBeVisible();
    const now: Order = await api("teacher", SCOPES)("GET", `/orders/${dear.id}`);
    expect(now.estimate.total.micros).toBeLessThan(dear.estimate.total.micros / 2);
  });

  test("6. rejects one by keyboard with a reason that the teacher reads", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    const order = await place("teacher");
    await open(manager, `/approvals/${order.id}`);
    await manager.locator('summary[data-kind="danger"]').focus();
    await manager.keyboard.press("Enter");
    await expect(manager.locator("#reason")).toBeFocused();
    await manager.keyboard.press("Tab");
    await manager.keyboard.press("Enter");
    await expect(error(manager, "reason")).toHaveText(w("errors.missing"));
    expect(await state(order)).toBe("pending_approval");
    await manager.locator("#reason").focus();
    await manager.keyboard.type("No lesson in that week <b>");
    await manager.keyboard.press("Tab");
    await manager.keyboard.press("Enter");
    await expect(manager.getByText(w("approvals.done_rejected", { number: order.number }))).toBeVisible();
    await open(teacher, `/orders/${order.id}`);
    await expect(teacher.getByText(w("orders.rejected_by", { name: "示范系主任" }))).toBeVisible();
    await expect(teacher.locator("main")).toContainText("No lesson in that week <b>");
  });

  test("7. a second tab that was overtaken says so, and nobody decides their own order", async () => {
    const manager = await as("manager");
    const order = await place("teacher");
    const tab = await manager.context().newPage();
    await open(tab, `/approvals/${order.id}`);
    await open(manager, `/approvals/${order.id}`);
    await manager.getByRole("button", { name: w("approvals.approve"), exact: true }).dblclick();
    await expect(manager.getByText(w("approvals.done_approved", { number: order.number }))).toBeVisible();
    await tab.locator('summary[data-kind="danger"]').click();
    await tab.locator("#reason").fill("Too late");
    await tab.getByRole("button", { name: w("approvals.reject_confirm") }).click();
    await expect(tab.getByText(w("approvals.stale_title"))).toBeVisible();
    await expect(tab.getByText(w("approvals.decided_title"))).toBeVisible();
    await expect(tab.getByRole("button", { name: w("approvals.reject_confirm") })).toHaveCount(0);
    expect(["approved", "fulfilled"]).toContain(await state(order));
    await tab.close();

    const own = await place("manager");
    await open(manager, "/approvals");
    await expect(manager.locator(`a[href="/approvals/${own.id}"]`)).toHaveCount(0);
    await open(manager, `/approvals/${own.id}`);
    await expect(manager.getByText(w("approvals.own_title"))).toBeVisible();
    await expect(manager.getByRole("button", { name: w("approvals.approve"), exact: true })).toHaveCount(0);
    await api("manager", SCOPES)("POST", `/orders/${own.id}/cancel`);
  });

  test("8. approves several after a summary; one that was decided meanwhile stops none of the others", async () => {
    const manager = await as("manager");
    const teacher = await as("teacher");
    const orders = [await place("teacher"), await place("teacher2"), await place("teacher"), await place("teacher2")];
    const [one, two, three, left] = orders as [Order, Order, Order, Order];
    await open(manager, "/approvals");
    await expect(manager.getByRole("button", { name: w("decisions.bulk_approve") })).toBeDisabled();
    await expect(manager.getByRole("button", { name: w("decisions.bulk_reject") })).toBeDisabled();
    for (const { number } of [one, two, three]) await manager.getByLabel(w("decisions.bulk_choose", { number })).check();
    await manager.getByRole("button", { name: w("decisions.bulk_approve") }).click();
    await expect(manager.getByRole("heading", { level: 1 })).toHaveText(w("decisions.bulk_approve_title", { count: 3 }));
    const total = yuan([one, two, three].reduce((sum, order) => sum + order.estimate.total.micros, 0));
    await expect(manager.getByText(w("decisions.bulk_total", { total, cards: 6 }))).toBeVisible();
    await expect(manager.locator("tbody tr")).toHaveCount(3);
    await api("teacher2", SCOPES)("POST", `/orders/${two.id}/cancel`);
    await manager.getByRole("button", { name: w("decisions.bulk_yes_approve") }).dblclick();
    await expect(manager.getByText(w("decisions.bulk_done_lead", { done: 2, count: 3 }))).toBeVisible();
    const row = (order: Order) => manager.locator("tbody tr").filter({ hasText: `#${order.number}` });
    for (const order of [one, three]) await expect(row(order)).toContainText(w("decisions.step_approve"));
    await expect(row(two)).toContainText(w("errors.stale"));
    await open(teacher, `/orders/${three.id}`);
    await expect(teacher.locator('aside a[href^="/labs/"]')).toBeVisible();
    expect([await state(two), await state(left)]).toEqual(["cancelled", "pending_approval"]);
  });

  test("9. the bill leads from the month to a person, a lab and its intervals, and away as files", async () => {
    const manager = await as("manager");
    await expect(async () => {
      await open(manager, "/billing?by=person");
      await expect(manager.getByRole("link", { name: w("bills.lines_link", { name: "示范教师甲" }) })).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 40_000 });
    await manager.getByRole("link", { name: w("bills.lines_link", { name: "示范教师甲" }) }).click();
    const id = lab.split("/").pop() ?? "";
    await manager.locator(`#lines a[href^="/billing/labs/${id}"]`).first().click();
    await expect(manager.getByRole("link", { name: w("bills.open_lab") })).toHaveAttribute("href", lab);
    await expect(manager.getByRole("row", { name: /A100 80 GB.*¥5\.40/ }).first()).toContainText("3 × ");
    await manager.locator(".crumb").getByRole("link", { name: w("bills.back_to_bill") }).click();

    const csv = manager.waitForEvent("download");
    await manager.getByRole("link", { name: w("bills.export_csv") }).click();
    const rows = (await content(await csv)).toString("utf8").trimEnd().split(/\r?\n/);
    expect(cells(rows[0]?.replace("\ufeff", "") ?? "").slice(0, 4)).toEqual(
      ["bills.month", "bills.col_course_code", "bills.col_course", "bills.col_lab"].map((key) => w(key)),
    );
    const gpu = rows.map(cells).find((row) => row[1] === "AI2301" && row[8] === "A100 80 GB" && row[10] === "3");
    expect(gpu?.[4]).toBe("teacher");
    // Amount = quantity × seconds × unit price ÷ 3600, to a millionth.
    const [quantity, seconds, price, amount] = [10, 13, 14, 16].map((at) => Number(gpu?.[at]));
    expect(amount).toBeCloseTo((quantity! * seconds! * price!) / 3600, 5);

    const xlsx = manager.waitForEvent("download");
    await manager.getByRole("link", { name: w("bills.export_xlsx") }).click();
    const file = await xlsx;
    expect(file.suggestedFilename()).toMatch(/^lectern-\d{4}-\d\d\.xlsx$/);
    expect((await content(file)).subarray(0, 2).toString()).toBe("PK");

    const pdf = manager.waitForEvent("download");
    await manager.getByRole("link", { name: w("bills.export_pdf"), exact: true }).click();
    expect((await content(await pdf)).subarray(0, 5).toString()).toBe("%PDF-");
    const focus = manager.waitForEvent("download");
    await manager.getByRole("link", { name: w("bills.export_focus") }).click();
    const [columns, ...charges] = (await content(await focus)).toString("utf8").trimEnd().split(/\r?\n/);
    expect(cells(columns ?? "")).toContain("BilledCost");
    expect(charges.length).toBeGreaterThan(0);
  });

  test("10. approves on a phone", async () => {
    const waiting = await place("teacher");
    const phone = await story.stranger();
    await phone.setViewportSize({ width: 390, height: 844 });
    await signIn(phone, story.server, "manager");
    await hydrated(phone);
    await phone.getByRole("navigation", { name: w("layout.main_navigation") }).getByRole("link", { name: w("layout.approvals") }).click();
    await phone.locator(`a[href="/approvals/${waiting.id}"]`).click();
    await expect(phone.locator("#decision h2").first()).toBeVisible();
    const approve = phone.getByRole("button", { name: w("approvals.approve"), exact: true });
    await expect(approve).toBeInViewport();
    const over = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over, "wider than the screen").toBeLessThanOrEqual(0);
    await approve.click();
    await expect(phone.getByText(w("approvals.done_approved", { number: waiting.number }))).toBeVisible();
    expect(phone.faults, language).toEqual([]);
    await phone.context().close();
  });

  test("11. takes back changes that the requester has not answered", async () => {
    const manager = await as("manager");
    const order = await place("teacher");
    await open(manager, `/approvals/${order.id}`);
    await manager.getByText(w("decisions.change"), { exact: true }).click();
    await manager.locator('[id="parameters[cards]"]').fill("3");
    await manager.getByRole("button", { name: w("decisions.change_confirm") }).click();
    await expect(manager.getByText(w("decisions.done_proposed", { number: order.number }))).toBeVisible();
    expect(await state(order)).toBe("awaiting_requester");
    await open(manager, `/approvals/${order.id}`);
    await manager.locator("#withdraw summary").click();
    await manager.locator("#why").fill("Two are enough. 两张够了。");
    await manager.getByRole("button", { name: w("decisions.withdraw_confirm"), exact: true }).click();
    await expect.poll(() => state(order)).toBe("pending_approval");
    const teacher = await as("teacher");
    await open(teacher, `/orders/${order.id}`);
    await expect(teacher.locator("#proposal")).toHaveCount(0);
    await expect(teacher.locator("main")).toContainText(w("decisions.step_withdraw"));
    await expect(teacher.locator("main")).toContainText("两张够了。");
    await api("teacher", SCOPES)("POST", `/orders/${order.id}/cancel`);
  });

  test("12. names a stand-in, who decides in the manager's name until it ends", async () => {
    const manager = await as("manager");
    const order = await place("teacher");
    await open(manager, "/account");
    const away = manager.locator("#away");
    await away.getByText(w("account.away_new"), { exact: true }).click();
    await away.locator("#stand_in").fill("nobody-there");
    const tomorrow = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(new Date(Date.now() + 86_400_000));
    await away.locator("#until").fill(tomorrow);
    await away.getByRole("button", { name: w("account.away_make") }).click();
    await expect(error(manager, "stand_in")).toBeVisible();
    await expect(manager.locator("#until")).toHaveValue(tomorrow);
    await hydrated(manager);
    await manager.locator("#stand_in").fill("teacher2");
    await away.getByRole("button", { name: w("account.away_make") }).click();
    const row = away.locator("tbody tr").filter({ hasText: w("account.away_by", { name: "示范教师乙" }) });
    await expect(row).toContainText(w("account.away_holds"));

    const standIn = await as("teacher2");
    await open(standIn, `/approvals/${order.id}`);
    await standIn.getByRole("button", { name: w("approvals.approve"), exact: true }).click();
    await expect(standIn.getByText(w("approvals.done_approved", { number: order.number }))).toBeVisible();
    await open(manager, `/orders/${order.id}`);
    await expect(manager.locator("main")).toContainText("示范教师乙");

    await open(manager, "/account");
    await row.getByRole("button", { name: w("account.away_end"), exact: true }).click();
    await manager.getByRole("dialog").getByRole("button", { name: w("account.away_end"), exact: true }).click();
    await expect(row).toContainText(w("account.away_over"));
    const own = await place("teacher");
    expect((await standIn.goto(`/approvals/${own.id}`))?.status()).toBeGreaterThanOrEqual(400);
    await api("teacher", SCOPES)("POST", `/orders/${own.id}/cancel`);
  });
});
