// The auditor's story: what people did and were refused, found again, proved, taken away as a file, and the looking itself on record.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type Page, expect } from "@playwright/test";
import { type Visitor, journey } from "../../support/journey.ts";
import { hydrated, test } from "../../support/pages.ts";
import type { Words } from "../../support/words.ts";

/** More than a page holds. */
const CHANGES = 55;
const PAGE = 50;

const rows = (page: Page) => page.locator("tbody tr");

/** Fills the form of the audit page as a person does, its fields called by their ids; the others are emptied. */
async function search(page: Page, w: Words, wanted: Record<string, string>): Promise<void> {
  if (new URL(page.url()).pathname !== "/audit") {
    await page.getByRole("navigation", { name: w("layout.main_navigation") }).getByRole("link", { name: w("layout.audit") }).click();
    await page.waitForURL(/\/audit$/);
  }
  const form = page.getByRole("main").getByRole("search");
  const fold = form.locator("details");
  if (!(await fold.evaluate((element) => (element as HTMLDetailsElement).open))) await form.locator("summary").click();
  for (const id of ["text", "person", "object", "from", "to"]) await form.locator(`#${id}`).fill(wanted[id] ?? "");
  for (const id of ["action", "outcome"]) await form.locator(`#${id}`).selectOption(wanted[id] ?? "");
  await Promise.all([page.waitForEvent("load"), form.getByRole("button", { name: w("audit.search") }).click()]);
  await hydrated(page);
}

/** Records are sealed about a second after they are written, and only sealed ones are exported. */
async function sealed(page: Page, w: Words): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("table")).not.toContainText(w("audit.unsealed"), { timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

async function download(page: Page, w: Words, link: string): Promise<{ path: string; name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: w(link) }).click()]);
  const path = await file.path();
  return { path, name: file.suggestedFilename(), text: readFileSync(path, "utf8") };
}

journey("auditor", (j) => {
  const { w, language } = j;
  const purpose = `卷积网络 ${language}`;
  let auditor: Visitor;
  const number = { approved: 0, rejected: 0 };

  test("1. people work, decide, mistype a password and try what is not theirs", async () => {
    const teacher = j.api("teacher", ["orders:write", "labs:read", "labs:write"]);
    const manager = j.api("manager", ["orders:decide"]);
    const order = (offering: string) =>
      teacher("POST", "/orders", { offering, course: "CV2402", parameters: {}, duration_minutes: 60, purpose });
    const [lab] = (await order("jupyterlab-slice")).labs;
    const [approved, rejected] = [await order("jupyterlab-2xa100-1tb"), await order("jupyterlab-2xa100-1tb")];
    await manager("POST", `/orders/${approved.id}/approve`, {});
    await manager("POST", `/orders/${rejected.id}/reject`, { reason: "本周没有这门课" });
    Object.assign(number, { approved: approved.number, rejected: rejected.number });
    for (let change = 0; change < CHANGES; change++) await teacher("PUT", `/labs/${lab}/autostop`, { idle_minutes: 60 + change });

    const stranger = await j.stranger();
    await stranger.goto("/sign-in");
    await stranger.locator("#login").fill("manager");
    await stranger.locator("#password").fill("not the password");
    await stranger.getByRole("button", { name: w("session.title") }).click();
    await expect(stranger.getByRole("alert")).toContainText(w("errors.sign_in_failed"));
    await stranger.context().close();

    const page = await j.as("teacher");
    expect((await page.goto("/audit"))?.status()).toBe(403);
    await expect(page.getByRole("main")).toContainText(w("errors.forbidden"));
    const file = await page.request.get("/audit/export?format=csv");
    expect(file.status()).toBe(403);
    expect(await file.text()).not.toContain("teacher,");
  });

  test("2. today says how the chains are; a check is asked for once, however often it is pressed", async () => {
    auditor = await j.as("auditor");
    await hydrated(auditor);
    await expect(auditor.getByRole("link", { name: w("home.chain_never") })).toBeVisible();
    // The refused page, the refused file and the mistyped password.
    await expect(auditor.locator(".figures a[href*='outcome=refused']")).toHaveText(w("home.times_count", { count: 3 }));
    await auditor.getByRole("link", { name: w("home.chain_never") }).click();
    await auditor.waitForURL(/\/audit#chains$/);
    await hydrated(auditor);
    const card = auditor.locator("#chains");
    await expect(card).toContainText(w("audit_tools.chain_never"));
    await card.getByRole("button", { name: w("audit_tools.verify") }).dblclick();
    await expect(async () => {
      await auditor.reload();
      await expect(card).toContainText(w("audit_tools.chain_good"), { timeout: 500 });
    }).toPass({ timeout: 30_000 });
    const told = await card.getByText(w("audit_tools.chain_good_text")).innerText();
    // The changes of the lab alone are more than this.
    expect(Number(/\d+/.exec(told.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, ""))?.[0])).toBeGreaterThan(CHANGES);
    await expect(auditor.locator("a.proof")).toHaveText(w("audit_tools.chain_good"));
    await auditor.goto("/audit?action=audit.verify");
    await expect(rows(auditor)).toHaveCount(1);
    await auditor.goto("/");
    await expect(auditor.locator(".figures a[href$='#chains']")).toHaveText(w("home.chain_good"));
  });

  test("3. finds by person, kind, result, words and days; the search stands in the address", async () => {
    await search(auditor, w, { person: " Manager ", action: "order." });
    await expect(rows(auditor)).toHaveCount(2);
    await expect(rows(auditor).filter({ hasText: w("audit.action_order_reject") })).toContainText(`#${number.rejected}`);
    await expect(rows(auditor).filter({ hasText: w("audit.action_order_approve") })).toContainText(`#${number.approved}`);

    await search(auditor, w, { person: "teacher", outcome: "refused" });
    await expect(rows(auditor)).toHaveCount(2);
    await expect(rows(auditor).filter({ hasText: w("audit.action_audit_read") })).toContainText("forbidden");
    await expect(rows(auditor).filter({ hasText: w("audit.action_audit_export") })).toContainText(w("audit.refused"));

    await search(auditor, w, { action: "session.", outcome: "refused" });
    await expect(rows(auditor)).toHaveCount(1);
    // Whoever mistyped is not known to be the manager: only what was typed is on record.
    await expect(rows(auditor)).toContainText("manager");
    await expect(rows(auditor)).toContainText("127.0.0.1");

    await search(auditor, w, { text: purpose, action: "order." });
    await expect(rows(auditor)).toHaveCount(3);
    for (const row of await rows(auditor).all()) await expect(row).toContainText(w("audit.action_order_submit"));

    const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(new Date());
    await search(auditor, w, { object: `#${number.rejected}`, from: today, to: today });
    await expect(rows(auditor)).toHaveCount(2);
    await auditor.reload();
    await expect(auditor.locator("#from")).toHaveValue(today);
    await expect(rows(auditor)).toHaveCount(2);

    await search(auditor, w, { object: `#${number.rejected}`, to: "2026-01-01" });
    await expect(auditor.getByText(w("audit.none_found"), { exact: true })).toBeVisible();
    await auditor.getByRole("main").getByRole("link", { name: w("audit.clear") }).last().click();
    await expect(auditor).toHaveURL(/\/audit$/);
    await expect(auditor.locator("#object")).toHaveValue("");
    await expect(rows(auditor)).toHaveCount(PAGE);

    // Older, and back to where one came from.
    const main = auditor.getByRole("main");
    const record = () => rows(auditor).first().getByRole("link").first().getAttribute("href");
    const latest = await record();
    await main.getByRole("link", { name: w("components.older") }).click();
    await expect(main.getByRole("link", { name: w("components.newer") })).toBeVisible();
    expect(await record()).not.toBe(latest);
    await main.getByRole("link", { name: w("components.newer") }).click();
    await expect(main.getByRole("link", { name: w("components.older") })).toBeVisible();
    await expect.poll(record).toBe(latest);
  });

  test("4. what is no day is said at its field, and the rest of the search stays", async () => {
    const answer = await auditor.goto("/audit?person=manager&from=2026-02-30");
    expect(answer?.status()).toBe(422);
    await hydrated(auditor);
    await expect(auditor.locator("#from-note")).toContainText(w("errors.not_a_date", { example: "2026-11-21" }));
    await expect(auditor.locator("#from")).toHaveAttribute("aria-invalid", "true");
    await expect(auditor.locator("#from")).toBeVisible();
    await expect(auditor.locator("#person")).toHaveValue("manager");
    await expect(rows(auditor)).toHaveCount(0);
  });

  test("5. the timeline of an order has all that happened to it, newest first", async () => {
    await search(auditor, w, { object: `#${number.approved}` });
    await auditor.getByRole("link", { name: w("audit_tools.timeline"), exact: true }).click();
    await expect(auditor).toHaveURL(/view=timeline/);
    const steps = auditor.locator("ol.timeline > li");
    await expect(steps.last()).toContainText(w("audit.action_order_submit"));
    await expect(steps.filter({ hasText: w("audit.action_order_approve") })).toHaveCount(1);
    const texts = await steps.allInnerTexts();
    const place = (key: string) => texts.findIndex((text) => text.includes(String(w(key))));
    expect(place("audit.action_order_approve")).toBeLessThan(place("audit.action_order_submit"));
    // A new search stays in this view.
    await auditor.locator("#object").fill(`#${number.rejected}`);
    await auditor.keyboard.press("Enter");
    await expect(steps.filter({ hasText: w("audit.action_order_reject") })).toHaveCount(1);
    await expect(auditor).toHaveURL(/view=timeline/);
  });

  test("6. a search is kept under a name, found again, and deleted after a question", async () => {
    const name = `Manager ${language}`;
    await search(auditor, w, { person: "manager", action: "order." });
    const save = auditor.locator("details", { hasText: w("audit_tools.save") }).last();
    await save.locator("summary").click();
    // Spaces are no name; the search that was to be saved is still there.
    await save.locator("#name").fill("   ");
    await save.getByRole("button").click();
    await expect(auditor.locator("#name-note")).toContainText(w("errors.missing"));
    await expect(auditor.locator("#person")).toHaveValue("manager");
    await auditor.locator("#name").fill(name);
    await auditor.locator("#name").press("Enter");
    const link = auditor.getByRole("main").getByRole("link", { name, exact: true });
    await expect(link).toBeVisible();
    await expect(auditor.locator("#person")).toHaveValue("manager");

    await auditor.goto("/");
    await auditor.reload();
    await auditor.getByRole("link", { name, exact: true }).click();
    await auditor.waitForURL(/\/audit\?/);
    await hydrated(auditor);
    await expect(auditor.locator("#person")).toHaveValue("manager");
    await expect(auditor.locator("#action")).toHaveValue("order.");
    await expect(rows(auditor)).toHaveCount(2);

    const item = auditor.getByRole("listitem").filter({ has: auditor.getByRole("link", { name, exact: true }) });
    const dialog = auditor.getByRole("dialog", { name: w("audit_tools.delete_title", { name }) });
    await item.getByRole("button", { name: w("audit_tools.delete"), exact: true }).click();
    await expect(dialog).toContainText(w("audit_tools.delete_text"));
    await auditor.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await expect(link).toBeVisible();
    await item.getByRole("button", { name: w("audit_tools.delete"), exact: true }).click();
    await dialog.getByRole("button", { name: w("audit_tools.delete_confirm") }).click();
    await expect(auditor.getByText(w("audit_tools.saved_none"))).toBeVisible();
    await expect(link).toHaveCount(0);
  });

  test("7. a record shows before and after, and its hash can be recomputed by hand", async () => {
    await search(auditor, w, { object: `#${number.rejected}`, action: "order." });
    await sealed(auditor, w);
    await auditor.getByRole("link", { name: w("audit.action_order_reject") }).click();
    await auditor.waitForURL(/\/audit\/[0-9a-f-]{36}/);
    const changed = auditor.getByRole("table", { name: w("audit.change") });
    const state = changed.getByRole("row").filter({ has: auditor.getByText("state", { exact: true }) });
    await expect(state.locator("del")).toHaveText("pending_approval");
    await expect(state.locator("ins")).toHaveText("rejected");
    await expect(changed).toContainText("本周没有这门课");
    await expect(auditor.getByText(w("audit_tools.intact"))).toBeVisible();

    const proof = auditor.locator("aside");
    const fact = async (key: string) => {
      const term = proof.locator("dt", { hasText: new RegExp(`^${w(key)}$`) });
      return (await term.locator("xpath=following-sibling::dd[1]").innerText()).trim();
    };
    const [hash, previous] = [await fact("audit.hash"), await fact("audit.prev")];
    await proof.locator("summary").click();
    const canonical = await auditor.getByRole("region", { name: w("audit_tools.canonical") }).textContent();
    const place = Number(/\d+/.exec(await proof.getByText(w("audit.sealed")).innerText())?.[0]);
    const number8 = Buffer.alloc(8);
    number8.writeBigUInt64BE(BigInt(place));
    const own = createHash("sha256").update(Buffer.from(previous, "hex")).update(number8).update(canonical ?? "").digest("hex");
    expect(own).toBe(hash);

    // The one before it in the chain has the hash that this one was built on.
    await auditor.getByRole("link", { name: w("audit_tools.previous") }).click();
    await expect(proof.getByText(w("audit.sealed", { seq: place - 1, chain: w("audit.chain_tenant") as string }))).toBeVisible();
    expect(await fact("audit.hash")).toBe(previous);
    await auditor.goBack();
    await expect(auditor.getByRole("heading", { level: 1 })).toContainText(`#${number.rejected}`);
    // From the record to all of its object.
    await auditor.getByRole("link", { name: w("audit_tools.same_object") }).click();
    await expect(auditor.locator("ol.timeline > li").last()).toContainText(w("audit.action_order_submit"));
    await expect(auditor.locator("#object")).toHaveValue(`#${number.rejected}`);
  });

  test("8. takes the search away as files that agree; the proof fails when one byte differs", async () => {
    await auditor.getByRole("link", { name: w("audit_tools.list"), exact: true }).click();
    // The form is drawn anew with the list.
    await expect(auditor.locator("ol.timeline")).toHaveCount(0);
    await expect(auditor.getByRole("table")).toBeVisible();
    await search(auditor, w, { person: "teacher", action: "order." });
    await sealed(auditor, w);
    const shown = await rows(auditor).count();
    expect(shown).toBeGreaterThanOrEqual(3);

    const csv = await download(auditor, w, "audit_tools.export_csv");
    expect(csv.name).toMatch(/^lectern-audit-\d{4}-\d\d-\d\d\.csv$/);
    const [header, ...lines] = csv.text.replace(/^\uFEFF/, "").trimEnd().split("\r\n");
    expect(header?.split(",")).toEqual(expect.arrayContaining(["at", "login", "action", "outcome", "before", "after", "hash"]));
    expect(lines).toHaveLength(shown);
    for (const line of lines) expect(line).toContain(",teacher,");

    const jsonl = await download(auditor, w, "audit_tools.export_jsonl");
    expect(jsonl.name).toMatch(/\.jsonl$/);
    const [head, ...rest] = jsonl.text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const end = rest.pop();
    const filter = { person: "teacher", action: "order." };
    expect(head).toMatchObject({ format: "lectern-audit-export-1", exported_by: "auditor", filter });
    expect(head.heads).toHaveLength(2);
    expect(end).toEqual({ end: { records: shown } });
    expect(rest).toHaveLength(shown);
    for (const { record } of rest) expect(csv.text).toContain(record.hash);

    // Offline: the file alone, no portal and no database.
    expect(j.server.command("audit", "verify", jsonl.path)).toContain(`${shown} records verified`);
    const verdict = (says: string) => expect.objectContaining({ stdout: expect.stringContaining(says) });
    const changed = `${jsonl.path}-changed`;
    const byte = jsonl.text.indexOf(purpose);
    writeFileSync(changed, `${jsonl.text.slice(0, byte)}倦${jsonl.text.slice(byte + 1)}`);
    expect(() => j.server.command("audit", "verify", changed)).toThrow(verdict("BROKEN: line 2"));
    // Cut off at the end it is no proof either.
    writeFileSync(changed, jsonl.text.slice(0, jsonl.text.lastIndexOf('{"end"')));
    expect(() => j.server.command("audit", "verify", changed)).toThrow(verdict("cut off"));
  });

  test("9. looking, saving, deleting and taking away are on record themselves", async () => {
    await search(auditor, w, { person: "auditor", action: "audit." });
    const done = (key: string) => rows(auditor).filter({ hasText: w(key) });
    await expect(done("audit.action_audit_export")).toHaveCount(2);
    expect(await done("audit.action_audit_search_save").count()).toBeGreaterThanOrEqual(1);
    await expect(done("audit.action_audit_search_delete")).toHaveCount(1);
    await expect(done("audit.action_audit_verify")).toHaveCount(1);
    // Its record says what was searched for.
    await done("audit.action_audit_read").filter({ hasText: `#${number.rejected}` }).first().getByRole("link").click();
    await expect(auditor.getByRole("heading", { level: 1 })).toContainText(w("audit.action_audit_read"));
    await auditor.goBack();
    await done("audit.action_audit_export").filter({ hasText: "jsonl" }).getByRole("link").click();
    await expect(auditor.getByRole("table", { name: w("audit.change") })).toContainText("teacher");
  });

  test("10. older pages follow without a gap, and back keeps the search", async () => {
    await search(auditor, w, { person: "teacher", action: "lab." });
    await expect(rows(auditor)).toHaveCount(PAGE);
    const links = () => rows(auditor).getByRole("link").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    const first = await links();
    await auditor.getByRole("navigation", { name: w("components.pages") }).getByRole("link", { name: w("components.older") }).click();
    await expect(auditor).toHaveURL(/after=/);
    await expect(rows(auditor)).not.toHaveCount(PAGE);
    const second = await links();
    expect(second.length).toBeGreaterThanOrEqual(CHANGES - PAGE);
    expect(first.filter((link) => second.includes(link))).toEqual([]);
    await expect(auditor.locator("#person")).toHaveValue("teacher");
    for (const row of await rows(auditor).all()) await expect(row).toContainText("lab-");

    await auditor.goBack();
    await expect(auditor.locator("#person")).toHaveValue("teacher");
    await expect(auditor.locator("#action")).toHaveValue("lab.");
    await expect.poll(links).toEqual(first);
    await auditor.goForward();
    await expect.poll(links).toEqual(second);
    await auditor.getByRole("link", { name: w("audit.to_newest") }).click();
    await expect.poll(links).toEqual(first);
    await expect(auditor.locator("#person")).toHaveValue("teacher");
  });

  test("11. refusals, conditions and a check under way are shown as they should be", async () => {
    // Refused on a page of its own: nothing of the audit page stands around it.
    const teacher = await j.as("teacher");
    await teacher.goto("/audit");
    await hydrated(teacher);
    const main = teacher.getByRole("main");
    await expect.soft(main.getByText(w("errors.forbidden"))).toHaveCount(1);
    await expect.soft(main.getByRole("link", { name: w("layout.back_home") })).toBeVisible();
    await expect.soft(main.getByRole("search")).toHaveCount(0);
    await expect.soft(main.getByRole("link", { name: w("audit_tools.export_csv") })).toHaveCount(0);
    // Each label of the fold stands above its control, in a line or two.
    await auditor.goto("/audit?outcome=refused");
    expect.soft((await auditor.locator("label[for=to]").boundingBox())?.height).toBeLessThan(60);
    // The card follows the check without a reload.
    await auditor.goto("/audit");
    await hydrated(auditor);
    const before = await auditor.locator("#chains").getByText(w("audit_tools.chain_good_text")).innerText();
    await auditor.locator("#chains").getByRole("button").click();
    await expect.soft(auditor.locator("#chains").getByText(w("audit_tools.chain_good_text"))).not.toHaveText(before);
    await expect.soft(auditor.locator("#chains").getByRole("button", { name: w("audit_tools.verify") })).toBeVisible();
  });
});
