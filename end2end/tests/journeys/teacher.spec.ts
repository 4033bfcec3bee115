// A teacher's term in one sitting: finds a lab, orders it, changes it while it runs, survives a failure, orders again, and knows what it cost.
import { expect } from "@playwright/test";
import { steerPod } from "../../support/cluster.ts";
import { type Journey, type Visitor, journey } from "../../support/journey.ts";
import { hydrated, test } from "../../support/pages.ts";

const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

/** The state in the head of a lab's or an order's page, which follows by itself. */
async function state(page: Visitor, text: string | RegExp): Promise<void> {
  await expect(page.locator("p.lead .pill, p.lead").filter({ hasText: text }).first()).toBeVisible({ timeout: 30_000 });
}

async function orderAt(page: Visitor, { w }: Journey, slug: string, minutes: string): Promise<void> {
  await page.goto(`/catalogue/${slug}/order`);
  await hydrated(page);
  await page.locator("#course").selectOption("AI2301");
  await page.locator("#duration_minutes").fill(minutes);
  await page.locator("#purpose").fill("第七课 · lesson 7");
  await page.getByRole("button", { name: w("orders.submit") }).first().click();
}

journey("a teacher", (story) => {
  const { w } = story;
  let lab = "";

  test("finds an offering by a word, reads what it gives, and orders it with one press however often she presses", async () => {
    const page = await story.as("teacher");
    await page.goto("/catalogue");
    await hydrated(page);
    await page.getByRole("searchbox", { name: w("catalogue.search") }).fill("nothing like it");
    await page.getByRole("button", { name: w("catalogue.find") }).click();
    await expect(page.getByText(w("catalogue.none_title"))).toBeVisible();
    await page.getByRole("link", { name: w("catalogue.clear") }).first().click();
    await page.getByRole("searchbox", { name: w("catalogue.search") }).fill("VS Code");
    await page.keyboard.press("Enter");
    await expect(page.locator("ul.offerings > li")).toHaveCount(1);
    await page.goto("/catalogue/jupyterlab-slice");
    await expect(page.getByRole("heading", { name: w("catalogue.limits") })).toBeVisible();
    await page.locator('main a[href="/catalogue/jupyterlab-slice/order"]').first().click();
    await hydrated(page);
    await page.locator("#course").selectOption("AI2301");
    await page.locator("#duration_minutes").fill("9999");
    await page.locator("#purpose").fill("第七课 · lesson 7");
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    await expect(page.locator("#duration_minutes-note .error")).not.toBeEmpty();
    await expect(page.locator("#purpose")).toHaveValue("第七课 · lesson 7");
    await page.locator("#duration_minutes").fill("60");
    await page.getByRole("button", { name: w("orders.submit") }).first().dblclick();
    await page.waitForURL((url) => url.pathname.startsWith("/orders/") && ID.test(url.pathname));
    lab = (await page.locator('main a[href^="/labs/"]').first().getAttribute("href")) ?? "";
    await page.goto("/orders");
    await expect(page.locator("main tbody tr")).toHaveCount(1);
  });

  test("finds what she typed again after Back, and after signing in again in the middle of a form", async () => {
    const page = await story.as("teacher");
    const form = "/catalogue/jupyterlab-slice/order";
    await page.goto(form);
    await hydrated(page);
    await page.locator("#course").selectOption("AI2301");
    await page.locator("#purpose").fill("第八课 · lesson 8");
    await page.locator('[name="seats"][value="roster"]').check({ force: true });
    await page.locator(".when-roster a").click();
    await page.waitForURL((url) => url.pathname.startsWith("/courses/") && ID.test(url.pathname));
    await page.goBack();
    await page.waitForURL(`**${form}`);
    await expect(page.locator("#purpose")).toHaveValue("第八课 · lesson 8");
    await expect(page.locator("#course")).toHaveValue("AI2301");
    await expect(page.locator('[name="seats"][value="roster"]')).toBeChecked();

    await page.locator('[name="seats"][value="one"]').check({ force: true });
    const cookies = (await page.context().cookies()).filter((cookie) => cookie.name === "lectern");
    expect(cookies).toHaveLength(1);
    await page.context().clearCookies({ name: "lectern" });
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    await page.locator("#refusal").getByRole("link", { name: w("errors.sign_in"), exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/sign-in" && url.searchParams.get("back") === form);
    await page.locator("#login").fill("teacher");
    await page.locator("#password").fill(story.server.password("teacher"));
    await page.locator("form.signin button").click();
    await page.waitForURL(`**${form}`);
    await hydrated(page);
    await expect(page.getByText(w("layout.typed_restored"))).toBeVisible();
    await expect(page.locator("#purpose")).toHaveValue("第八课 · lesson 8");
    await expect(page.locator("#course")).toHaveValue("AI2301");
  });

  test("ends a composition in the palette without choosing anything", async () => {
    const page = await story.as("teacher");
    await page.goto("/orders");
    await hydrated(page);
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: w("search.open") });
    await field.fill("a");
    for (const composing of [{ isComposing: true }, { keyCode: 229 }]) {
      await field.dispatchEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...composing });
    }
    await expect(field).toBeVisible();
    expect(new URL(page.url()).pathname).toBe("/orders");
    // A first Escape empties the field, as in every search field of the browser.
    await field.press("Escape");
    await expect(field).toHaveValue("");
    await field.press("Escape");
    await expect(field).toHaveCount(0);
  });

  test("gives the running lab more time, another size and a daily stop, and restarts it", async () => {
    const page = await story.as("teacher");
    await page.goto(lab);
    await hydrated(page);
    await state(page, w("labs.state_running"));
    await expect(page.locator("main")).toContainText(w("labs.ordered_time", { duration: w("orders.hours", { hours: 1 }) as string }));
    const more = page.getByRole("button", { name: w("lifecycle.extend_minutes", { minutes: 30 }) }).first();
    await more.click();
    await expect(page.locator("main")).toContainText(
      w("labs.ordered_time", { duration: w("orders.hours_minutes", { hours: 1, minutes: 30 }) as string }),
    );

    await page.getByRole("link", { name: w("lifecycle.resize"), exact: true }).click();
    const cores = page.locator('[name="parameters[cpu_cores]"]');
    await cores.fill("80");
    await expect(page.getByText(w("lifecycle.resize_mend"))).toBeVisible();
    await cores.fill("6");
    await expect(page.locator("main aside")).toContainText(w("lifecycle.resize_difference"));
    await page.getByRole("button", { name: w("lifecycle.resize_do_running") }).click();
    await page.waitForURL((url) => url.pathname === lab);
    await expect(page.getByRole("log")).toContainText(w("lifecycle.cause_resize"));
    await state(page, w("labs.state_running"));

    await page.locator("#daily").fill("21:30");
    await page.locator("#idle-minutes").fill("45");
    await page.getByRole("button", { name: w("lifecycle.save") }).click();
    await expect(page.getByText(w("lifecycle.autostop_saved"))).toBeVisible();
    await page.reload();
    await expect(page.locator("#daily")).toHaveValue("21:30");
    await expect(page.locator("#idle-minutes")).toHaveValue("45");
    await hydrated(page);

    await page.getByRole("button", { name: w("lifecycle.restart"), exact: true }).click();
    const dialog = page.getByRole("dialog").filter({ visible: true });
    await expect(dialog).toContainText(w("lifecycle.restart_about"));
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await page.getByRole("button", { name: w("lifecycle.restart"), exact: true }).click();
    await dialog.getByRole("button", { name: w("lifecycle.restart_do") }).click();
    await expect(page.getByRole("log")).toContainText(w("lifecycle.cause_restart"));
    await state(page, w("labs.state_running"));
  });

  test("stops it, thinks better of it, and stops it for good: the files are kept", async () => {
    const page = await story.as("teacher");
    await hydrated(page);
    await page.getByRole("button", { name: w("labs.stop"), exact: true }).click();
    await page.getByRole("button", { name: w("components.undo") }).click();
    await expect(page.getByRole("log")).toContainText(w("labs.cause_stop"));
    await state(page, w("labs.state_running"));
    await page.getByRole("button", { name: w("labs.stop"), exact: true }).click();
    await state(page, w("labs.state_stopped"));
    await expect(page.getByText(w("lifecycle.kept_until"))).toBeVisible();
    await page.getByRole("button", { name: w("labs.destroy"), exact: true }).click();
    await page.getByRole("dialog").filter({ visible: true }).getByRole("button", { name: w("labs.destroy_confirm") }).click();
    await state(page, w("labs.state_destroyed"));
  });

  test("is told when a lab fails, tries again, and the first failure stays on record", async () => {
    const page = await story.as("teacher");
    await orderAt(page, story, "vscode", "60");
    await steerPod(story.server.kubeconfig, { "fake-kubelet/waiting": "ImagePullBackOff" });
    await page.waitForURL((url) => url.pathname.startsWith("/orders/"));
    await page.locator('main a[href^="/labs/"]').first().click();
    await state(page, w("labs.state_failed"));
    await expect(page.locator("main")).toContainText(w("labs.failure_title", { reason: w("labs.reason_image") as string }));
    await expect(page.getByRole("button", { name: w("notifications.bell_unread") })).toBeVisible();
    await page.getByRole("button", { name: w("labs.retry"), exact: true }).click();
    await state(page, w("labs.state_running"));
    await expect(page.locator("main")).toContainText(w("lifecycle.failures", { count: 1 }));
    await expect(page.locator("main")).toContainText(w("lifecycle.failure_first"));

    await page.getByRole("button", { name: w("notifications.bell_unread") }).click();
    await page.getByRole("link", { name: w("notifications.see_all") }).click();
    await page.waitForURL("**/notifications");
    await page.getByRole("button", { name: w("notifications.read_all") }).click();
    await expect(page.getByRole("button", { name: w("notifications.bell"), exact: true })).toBeVisible();
  });

  test("cancels an order that waits, orders the same again, and has it once a manager agrees, without a reload", async () => {
    const page = await story.as("teacher");
    await orderAt(page, story, "jupyterlab-2xa100-1tb", "90");
    await page.waitForURL((url) => url.pathname.startsWith("/orders/") && ID.test(url.pathname));
    await state(page, w("orders.state_pending_approval"));
    await page.getByRole("button", { name: w("orders.cancel"), exact: true }).click();
    await page.getByRole("dialog").filter({ visible: true }).getByRole("button", { name: w("orders.cancel") }).click();
    await state(page, w("orders.state_cancelled"));
    await page.getByRole("link", { name: w("lifecycle.again") }).click();
    await hydrated(page);
    await expect(page.locator("#duration_minutes")).toHaveValue("90");
    await expect(page.locator("#purpose")).toHaveValue("第七课 · lesson 7");
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    await page.waitForURL((url) => url.pathname.startsWith("/orders/") && ID.test(url.pathname));
    await state(page, w("orders.state_pending_approval"));
    await hydrated(page);

    const manager = await story.as("manager");
    await manager.goto(`/approvals/${ID.exec(page.url())?.[0]}`);
    await hydrated(manager);
    await manager.getByRole("button", { name: w("approvals.approve"), exact: true }).click();
    await state(page, w("orders.state_fulfilled"));
  });

  test("says who takes the course, orders a lab for each of them for the next lessons, and thinks better of it", async () => {
    const page = await story.as("teacher");
    await page.goto("/courses");
    await hydrated(page);
    await page.locator('main a[href^="/courses/"]').filter({ hasText: "AI2301" }).first().click();
    await page.waitForURL((url) => url.pathname.startsWith("/courses/") && ID.test(url.pathname));
    await hydrated(page);
    const roster = page.locator("#roster");
    await roster.fill("2401 示范学生甲\n2401 示范学生乙");
    await page.getByRole("button", { name: w("courses.save_roster") }).click();
    await expect(page.locator("#students .error")).not.toBeEmpty();
    await expect(roster).toHaveValue("2401 示范学生甲\n2401 示范学生乙");
    await roster.fill("2401 示范学生甲\n2402 示范学生乙");
    await page.getByRole("button", { name: w("courses.save_roster") }).click();
    await expect(page.locator("#students")).toContainText(w("courses.student_count", { count: 2 }));

    await page.goto("/catalogue/jupyterlab-slice/order");
    await hydrated(page);
    await page.locator("#course").selectOption("AI2301");
    await page.locator("#duration_minutes").fill("90");
    await expect(page.locator("#first_day")).toBeHidden();
    await page.locator('[name="seats"][value="roster"]').check();
    await page.locator('[name="when"][value="lessons"]').check();
    // The day after tomorrow on campus, whatever the hour is here.
    const day = new Date(Date.now() + (2 * 24 + 8) * 3_600_000).toISOString().slice(0, 10);
    await page.locator("#bell").fill("08:20");
    await page.locator("#weeks").fill("2");
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    await expect(page.locator("#first_day-note .error")).not.toBeEmpty();
    await page.locator("#first_day").fill(day);
    await expect(page.locator("#summary")).toContainText(w("class.in_all"));
    await page.getByRole("button", { name: w("orders.submit") }).first().click();
    await page.waitForURL((url) => url.pathname.startsWith("/orders/") && ID.test(url.pathname));
    await expect(page.locator("main")).toContainText("2401 示范学生甲");
    await expect(page.locator("main")).toContainText(w("class.lesson_of", { lesson: 1, lessons: 2 }));
    await page.getByRole("link", { name: w("class.see_all") }).click();
    await expect(page.locator("main tbody tr")).toHaveCount(4);
    await page.goBack();
    await hydrated(page);
    await page.getByRole("button", { name: w("class.cancel"), exact: true }).click();
    await page.getByRole("dialog").filter({ visible: true }).getByRole("button", { name: w("class.cancel") }).click();
    await expect(page.getByText(w("class.cancelled", { count: 4 }))).toBeVisible();
    await expect(page.locator("main tbody").getByText(w("orders.state_cancelled"))).toHaveCount(4);
  });

  test("sees what it cost and makes a token that does no more than it says, until it is revoked", async () => {
    const page = await story.as("teacher");
    await page.goto("/billing?by=person");
    await expect(page.locator("main tbody tr").first()).toContainText("¥");

    await page.goto("/account");
    await hydrated(page);
    await page.getByText(w("account.token_new")).click();
    await page.getByRole("button", { name: w("account.token_make") }).click();
    await expect(page.locator("#token_name-note .error")).not.toBeEmpty();
    await expect(page.locator("#scopes-problem")).not.toBeEmpty();
    await page.locator("#token_name").fill("grading");
    await page.getByLabel(w("account.scope_labs_read")).check();
    await page.getByRole("button", { name: w("account.token_make") }).click();
    const secret = await page.locator("#one-time-token input").inputValue();
    expect(secret).toMatch(/^lct_/);
    const ask = async (path: string) => (await fetch(`${story.server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${secret}` } })).status;
    expect(await ask("/labs")).toBe(200);
    expect(await ask("/orders")).toBe(403);
    await page.reload();
    await expect(page.locator("#one-time-token")).toHaveCount(0);
    await hydrated(page);
    await page.getByRole("button", { name: w("account.revoke"), exact: true }).first().click();
    await page.getByRole("dialog").filter({ visible: true }).getByRole("button", { name: w("account.revoke") }).click();
    await expect(page.locator("#tokens")).toContainText(w("account.revoked"));
    expect(await ask("/labs")).toBe(401);
  });
});
