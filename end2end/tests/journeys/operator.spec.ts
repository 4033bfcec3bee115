// The operator's story: the cluster as it is used, an offering from its first draft to its retirement, and the ways about the portal.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { type Visitor, journey } from "../../support/journey.ts";
import { hydrated, test } from "../../support/pages.ts";

const NODES = ["01", "02", "03", "04", "05", "06"].map((number) => `dell-pro-max-aipc-${number}`);
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO7kPa9bIdJIKn1nLZ2nJ3XUTRVhEmGhpvKuH9hRNZpM teacher@xxgc";

/** A control of the offering's form, and what stands below it. */
const field = (page: Page, name: string) => page.locator(`[id="fields[${name}]"]`);
const note = (page: Page, name: string) => page.locator(`[id="fields[${name}]-note"]`);
const perHour = (page: Page) => page.locator("#preview dd.total");

journey("operator", (j) => {
  const { w, language } = j;
  const name = language === "en" ? "Drawing lab" : "画图实验";
  const slug = "drawing-lab";
  let operator: Visitor;
  let teacher: Visitor;
  let first = { order: "", lab: "" };

  const go = async (page: Page, entry: string) => {
    await page.getByRole("navigation", { name: w("layout.main_navigation") }).getByRole("link", { name: w(entry), exact: true }).click();
  };
  const tab = (key: string) => operator.getByRole("navigation", { name: w("offerings.tabs") }).getByRole("link", { name: w(key) });
  const inCatalogue = async (page: Page) => {
    await page.goto("/catalogue");
    return page.getByRole("main").getByRole("heading", { name, exact: false });
  };
  /** Opens the dialog of this button and consents. */
  const consent = async (open: string | RegExp, confirm: string, says: string | RegExp) => {
    await operator.getByRole("button", { name: open, exact: true }).click();
    const dialog = operator.getByRole("dialog");
    await expect(dialog).toContainText(says);
    await Promise.all([operator.waitForEvent("load"), dialog.getByRole("button", { name: w(confirm), exact: true }).dblclick()]);
    await hydrated(operator);
  };

  test("1. today says how the cluster is; every node with its cards, and what to look at with its remedy", async () => {
    operator = await j.as("operator");
    await hydrated(operator);
    const figure = (key: string) => operator.locator(".figure").filter({ has: operator.getByText(w(key), { exact: true }) });
    await expect(figure("home.reachable")).toContainText(w("home.answers"));
    await expect(figure("home.nodes")).toContainText(w("home.all_ready"));
    await expect(figure("home.cards")).toContainText(w("home.cards_figure", { used: 0, total: 56 }));
    await operator.getByRole("link", { name: w("home.cluster") }).click();
    await operator.waitForURL("/cluster");

    await expect(operator.locator("article.node h3")).toHaveText(NODES);
    const cards = operator.locator("article.node ul.gpus");
    await expect(cards.getByRole("listitem")).toHaveCount(8 + 8 + 4 + 6 + 8 + 8);
    for (const card of await cards.getByRole("listitem").all()) await expect(card).toContainText(w("nodes.free"));
    await expect(operator.locator(`[id="${NODES[3]}"]`)).toContainText(w("nodes.used_of", { used: 0, total: 14 }));

    const finding = operator.locator("#findings article");
    await expect(finding).toHaveCount(1);
    await expect(finding).toContainText(w("nodes.finding_driver"));
    await expect(finding).toContainText(w("nodes.proof_driver", { driver: "535.161.08", usual: "550.54.15", nodes: 4 }));
    await expect(finding).toContainText(w("nodes.remedy_driver"));
    await finding.getByRole("link").click();
    await expect(operator).toHaveURL(new RegExp(`/cluster#${NODES[5]}$`));
    await expect(operator.locator(`[id="${NODES[5]}"]`)).toBeInViewport();
  });

  test("2. a card changes hands while one looks: a teacher's lab starts and stops", async () => {
    await expect(operator.getByText(w("labs.live"), { exact: true })).toBeVisible();
    const call = j.api("teacher", ["orders:write", "labs:read", "labs:write"]);
    const parameters = { public_key: KEY };
    const order = await call("POST", "/orders", { offering: "linux-ssh", course: "CV2402", parameters, duration_minutes: 60 });
    const node = operator.locator(`[id="${NODES[5]}"]`);
    const tile = node.locator("li.gpu").filter({ hasText: "CV2402" });
    await expect(tile).toHaveCount(1);
    await expect(tile).toHaveAttribute("data-st", "live");
    await expect(node.locator("li.gpu").filter({ hasText: w("nodes.free") })).toHaveCount(7);
    const holder = node.locator(".holders li");
    await expect(holder).toContainText("CV2402");
    await expect(holder).not.toContainText(w("nodes.set_aside"));
    const pool = operator.locator(".figure").filter({ hasText: "V100" });
    await expect(pool.locator(".v")).toHaveText(/^7/);

    await holder.getByRole("link").click();
    await operator.waitForURL(`/labs/${order.labs[0]}`);
    await operator.goBack();
    await expect(tile).toHaveCount(1);
    await call("POST", `/labs/${order.labs[0]}/stop`);
    await expect(tile).toHaveCount(0);
    await expect(node.locator(".holders li")).toHaveCount(0);
    await expect(pool.locator(".v")).toHaveText(/^8/);
    await call("POST", `/labs/${order.labs[0]}/destroy`);
  });

  test("3. a new offering from an existing one: mistakes stand at their fields, price and objects follow the typing", async () => {
    await go(operator, "layout.offerings");
    await operator.getByRole("link", { name: w("offerings.new") }).click();
    await operator.waitForURL("/offerings/new");
    await hydrated(operator);
    await operator.locator("#from").selectOption("vscode");
    await operator.getByRole("button", { name: w("offerings.start_from_go") }).click();
    await operator.waitForURL(/from=vscode/);
    await hydrated(operator);
    await expect(field(operator, "slug")).toHaveValue("");
    await expect(field(operator, "base.image")).toHaveValue(/code-server/);

    await field(operator, "name.zh").fill("画图实验");
    await field(operator, "name.en").fill("Drawing lab");
    await field(operator, "slug").fill("Drawing Lab!");
    await field(operator, "base.port").fill("many");
    await operator.getByRole("button", { name: w("offerings.save_as", { version: 1 }) }).last().click();
    await expect(note(operator, "slug").locator(".error")).not.toBeEmpty();
    await expect(note(operator, "base.port").locator(".error")).toContainText(w("errors.not_a_number"));
    await expect(operator.getByText(w("components.fix_count", { count: 2 }))).toBeVisible();
    await expect(field(operator, "slug")).toHaveValue("Drawing Lab!");
    await expect(field(operator, "base.port")).toHaveValue("many");
    await expect(field(operator, "name.en")).toHaveValue("Drawing lab");
    await operator.getByRole("main").getByRole("link", { name: w("offerings.port"), exact: true }).click();
    await expect(field(operator, "base.port")).toBeInViewport();

    await hydrated(operator);
    await field(operator, "slug").fill(slug);
    await field(operator, "base.port").fill("8080");
    await field(operator, "base.port").press("Tab");
    await expect(perHour(operator)).toHaveText("¥1.52");
    // The default of the parameter decides: eight cores more at ¥0.05.
    await field(operator, "parameters.2.default").fill("16");
    await field(operator, "parameters.2.default").press("Tab");
    await expect(perHour(operator)).toHaveText("¥1.92");
    const objects = operator.locator("#preview details");
    await expect(objects).toHaveCount(10);
    await objects.filter({ hasText: "Deployment" }).locator("summary").click();
    await expect(operator.getByRole("region", { name: "Deployment" })).toContainText(/cpu: ['"]?16/);
    await expect(operator.getByRole("region", { name: "Deployment" })).toContainText("code-server");
    // A mistake takes the price away until it is mended.
    await field(operator, "parameters.2.default").fill("17");
    await field(operator, "parameters.2.default").press("Tab");
    await expect(operator.locator("#preview")).toContainText(w("offerings.preview_problems", { count: 1 }));
    await field(operator, "parameters.2.default").fill("16");
    await field(operator, "parameters.2.default").press("Tab");
    await expect(perHour(operator)).toHaveText("¥1.92");

    await operator.getByRole("button", { name: w("offerings.save_as", { version: 1 }) }).last().dblclick();
    await operator.waitForURL(`/offerings/${slug}?saved=1`);
    await expect(operator.getByText(w("offerings.saved"))).toBeVisible();
    await expect(operator.getByText(w("offerings.lead_draft", { draft: 1 }))).toBeVisible();
    await operator.reload();
    await expect(field(operator, "parameters.2.default")).toHaveValue("16");
    teacher = await j.as("teacher");
    await expect(await inCatalogue(teacher)).toHaveCount(0);
  });

  test("4. published once, a teacher finds it and orders it", async () => {
    await hydrated(operator);
    await consent(w("offerings.publish_version", { version: 1 }), "offerings.publish", w("offerings.publish_title", { name, version: 1 }));
    await expect(operator.getByText(w("offerings.lead_published", { version: 1, labs: 0 }))).toBeVisible();
    await expect(operator.getByRole("button", { name: w("offerings.publish_version", { version: 1 }) })).toHaveCount(0);

    const found = await inCatalogue(teacher);
    await expect(found).toBeVisible();
    await found.getByRole("link").click();
    await teacher.waitForURL(`/catalogue/${slug}/order`);
    await hydrated(teacher);
    await teacher.locator("#course").selectOption({ index: 0 });
    await teacher.getByRole("button", { name: w("orders.submit") }).first().click();
    await teacher.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    await expect(teacher.getByText(w("orders.version", { version: 1 }))).toBeVisible();
    const link = teacher.getByRole("main").locator('a[href^="/labs/"]').first();
    await expect(link).toBeVisible();
    first = { order: new URL(teacher.url()).pathname, lab: (await link.getAttribute("href")) ?? "" };
  });

  test("5. version 2 shows what it changes; the order keeps version 1", async () => {
    await operator.reload();
    await hydrated(operator);
    await expect(operator.getByText(w("offerings.lead_published", { version: 1, labs: 1 }))).toBeVisible();
    await field(operator, "parameters.3.default").fill("64");
    await operator.getByRole("button", { name: w("offerings.save_as", { version: 2 }) }).last().click();
    await operator.waitForURL(/saved=1/);
    await hydrated(operator);
    const versions = tab("offerings.tab_versions");
    await versions.click();
    await operator.getByText(w("offerings.changed_fields")).click();
    const rows = operator.getByRole("table", { name: w("offerings.tab_versions") }).getByRole("row");
    await expect(rows.filter({ hasText: "memory_gib" }).getByRole("cell")).toHaveText([/memory_gib · /, "32", "64"]);
    await consent(w("offerings.publish_version", { version: 2 }), "offerings.publish", w("offerings.publish_text", { labs: 1 }));

    await teacher.goto(first.order);
    await expect(teacher.getByText(w("orders.version", { version: 1 }))).toBeVisible();
    await teacher.goto(`/catalogue/${slug}`);
    await expect(teacher.getByText(w("offerings.version_no", { version: 2 }))).toBeVisible();
    await versions.click();
    const steps = operator.locator("ol.timeline > li");
    await expect(steps.nth(0)).toContainText(w("offerings.state_published"));
    await expect(steps.nth(1)).toContainText(w("offerings.state_replaced"));
  });

  test("6. the file of an offering passes the check of the command line; a bad one is told by field and refused by the page", async () => {
    await tab("offerings.tab_yaml").click();
    const [file] = await Promise.all([
      operator.waitForEvent("download"),
      operator.getByRole("link", { name: w("offerings.yaml_download") }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${slug}.yaml`);
    const path = join(j.server.data, `${slug}.yaml`);
    await file.saveAs(path);
    expect(j.server.command("offering", "check", path)).toContain(`${slug}, ¥`);

    const bad = readFileSync(path, "utf8").replace(/^(\s*)port: 8080$/m, "$1port: many");
    writeFileSync(path, bad);
    const verdict = expect.objectContaining({ stdout: expect.stringMatching(/port.*number/) });
    expect(() => j.server.command("offering", "check", path)).toThrow(verdict);
    await hydrated(operator);
    await operator.locator("#yaml").fill(bad);
    await operator.getByRole("button", { name: w("offerings.yaml_save") }).click();
    await expect(operator.getByText(w("components.fix_count", { count: 1 }))).toBeVisible();
    await expect(operator.getByRole("main")).toContainText(w("errors.not_a_number"));
    await expect(operator.locator("#yaml")).toHaveValue(/port: many/);
  });

  test("7. an offering for managers alone is gone for teachers, by link and by API too", async () => {
    await operator.goto(`/offerings/${slug}`);
    await hydrated(operator);
    await field(operator, "audience.roles.manager").check();
    await operator.getByRole("button", { name: w("offerings.save_as", { version: 3 }) }).last().click();
    await operator.waitForURL(/saved=1/);
    await hydrated(operator);
    await expect(await inCatalogue(teacher)).toBeVisible();
    await consent(w("offerings.publish_version", { version: 3 }), "offerings.publish", w("offerings.publish_title", { name, version: 3 }));
    await expect(await inCatalogue(teacher)).toHaveCount(0);
    expect((await teacher.goto(`/catalogue/${slug}/order`))?.status()).toBe(404);
    await expect(teacher.getByRole("heading", { name: w("layout.not_found_title") })).toBeVisible();
    const body = { offering: slug, course: "CV2402", parameters: {}, duration_minutes: 60 };
    await expect(j.api("teacher", ["orders:write"])("POST", "/orders", body)).rejects.toThrow(/ (404|422) /);
    await expect(await inCatalogue(await j.as("manager"))).toBeVisible();
  });

  test("8. retired, it leaves the catalogue and its lab goes on; put back, it is there again", async () => {
    const lab = j.api("teacher", ["labs:read"]);
    await consent(w("offerings.retire"), "offerings.retire", w("offerings.retire_text", { labs: 1 }));
    await expect(operator.getByText(w("offerings.lead_retired", { labs: 1 }))).toBeVisible();
    const managed = operator.getByRole("row").filter({ hasText: slug });
    await go(operator, "layout.offerings");
    await expect(managed).toContainText(w("offerings.state_retired"));
    await go(operator, "layout.catalogue");
    await expect(operator.getByRole("main").getByRole("heading", { name })).toHaveCount(0);
    expect((await lab("GET", first.lab)).state).toBe("running");

    await operator.goto(`/offerings/${slug}`);
    await hydrated(operator);
    await operator.getByRole("button", { name: w("offerings.restore") }).click();
    await expect(operator.getByText(w("offerings.lead_published", { version: 3, labs: 1 }))).toBeVisible();
    await go(operator, "layout.offerings");
    await expect(managed).toContainText(w("offerings.state_published"));
    expect((await lab("GET", first.lab)).state).toBe("running");
  });

  test("9. the API reference finds an operation and sends it; the components are on show", async () => {
    await operator.goto("/api-docs");
    await hydrated(operator);
    await operator.locator("#q").fill("no such thing");
    await expect(operator.getByText(w("api_docs.none_title"))).toBeVisible();
    await operator.locator("#q").fill("gpu-inventory");
    const operation = operator.locator(".folds.api:not(.shapes) > details:visible");
    await expect(operation).toHaveCount(1);
    await operation.locator("> summary").click();
    // What an answer holds is one link away, and the way back leads to the operation.
    const shape = operation.locator('a[href^="#shape-"]').first();
    const held = operator.locator(await shape.getAttribute("href") ?? "#");
    await expect(held).toBeHidden();
    await shape.click();
    await expect(held).toBeVisible();
    await operator.goBack();
    await operation.locator("details.try > summary").click();
    await operation.getByRole("button", { name: w("api_docs.send") }).click();
    await expect(operation.locator(".pill")).toHaveText("401");
    // A token without the right scope is told so; with it the answer is the inventory.
    const token = (scope: string) => j.server.command("token", "create", "--user", "operator", "--scope", scope).trim();
    await operator.locator("#token").fill(token("orders:read"));
    await operation.getByRole("button", { name: w("api_docs.send") }).click();
    await expect(operation.locator(".pill")).toHaveText("403");
    await expect(operation.locator("pre.reply")).toContainText('"scope_missing"');
    await operator.locator("#token").fill(token("admin"));
    await operation.getByRole("button", { name: w("api_docs.send") }).click();
    await expect(operation.locator(".pill")).toHaveText("200");
    const inventory = JSON.parse(await operation.locator("pre.reply").innerText());
    expect(Object.keys(inventory).sort()).toEqual(NODES);
    expect(inventory[NODES[5] ?? ""]).toMatchObject({ gpu_free: 8, driver_version: "535.161.08", temperature: expect.any(Number) });

    expect((await operator.goto("/design"))?.status()).toBe(200);
    await expect(operator.getByRole("heading", { level: 1, name: w("design.title") })).toBeVisible();
    for (const id of ["buttons", "fields", "errors", "tables", "charts"]) await expect(operator.locator(`section#${id}`)).toBeVisible();
  });

  test("10. by keyboard: Ctrl K goes to a page by its name and to a lab; Escape leaves", async () => {
    await operator.goto("/");
    await hydrated(operator);
    const palette = operator.getByRole("dialog", { name: w("search.open") });
    const box = palette.getByRole("combobox");
    await operator.keyboard.press("Control+k");
    await expect(box).toBeFocused();
    await operator.keyboard.press("Escape");
    await expect(palette).toBeHidden();

    await operator.keyboard.press("Control+k");
    const pages = String(w("layout.offerings"));
    await box.pressSequentially(pages.slice(0, pages.length - 1));
    await expect(palette.getByRole("option").filter({ hasText: w("layout.offerings") }).first()).toHaveAttribute("aria-selected", "true");
    await operator.keyboard.press("Enter");
    await operator.waitForURL("/offerings");
    await expect(palette).toBeHidden();

    // The second of all: one key down.
    await operator.keyboard.press("Control+k");
    await expect(box).toHaveValue("");
    const second = (await palette.getByRole("option").nth(1).innerText()).trim();
    await operator.keyboard.press("ArrowDown");
    await operator.keyboard.press("ArrowDown");
    await operator.keyboard.press("ArrowUp");
    await operator.keyboard.press("Enter");
    const navigation = operator.getByRole("navigation", { name: w("layout.main_navigation") });
    await expect(navigation.locator("[aria-current=page]")).toContainText(second);

    const lab = (await j.api("teacher", ["labs:read"])("GET", first.lab)).name;
    await operator.keyboard.press("Control+k");
    await box.pressSequentially(lab);
    await expect(palette.getByRole("option").first()).toContainText(name);
    await operator.keyboard.press("Enter");
    await operator.waitForURL(first.lab);

    await operator.keyboard.press("Control+k");
    await box.pressSequentially(lab);
    // What is found moves the last option down.
    await expect(palette.getByRole("option").first()).toContainText(name);
    await palette.getByRole("option", { name: w("search.everything_for", { text: lab }) }).click();
    await operator.waitForURL(/\/search\?q=/);
    await expect(operator.getByRole("main").getByRole("link", { name: new RegExp(lab) }).first()).toHaveAttribute("href", first.lab);
    await operator.locator("#q").fill("nothing-is-called-this");
    await operator.keyboard.press("Enter");
    await expect(operator.getByText(w("search.none", { text: "nothing-is-called-this" }))).toBeVisible();
  });

  test("11. the bell rings while one looks, leads to the order and is quiet once read", async () => {
    const administrator = j.api("administrator", ["admin"]);
    const { version } = await administrator("GET", "/policies");
    const rule = { name: { zh: "运维来定", en: "The operator decides" }, when: "always", then: { stages: ["operator"] } };
    await administrator("PUT", "/policies", { policy: { rules: [rule] }, version });
    await operator.goto("/");
    await hydrated(operator);
    const bell = operator.getByRole("button", { name: w("notifications.bell"), exact: false });
    await expect(bell).toHaveAccessibleName(String(w("notifications.bell")));
    const body = { offering: "jupyterlab-slice", course: "CV2402", parameters: {}, duration_minutes: 60 };
    const order = await j.api("teacher", ["orders:write"])("POST", "/orders", body);
    await expect(bell).toHaveAccessibleName(String(w("notifications.bell_unread", { count: 1 })));
    await bell.click();
    const notice = operator.getByRole("dialog", { name: w("notifications.latest") }).getByRole("link").first();
    await expect(notice).toContainText(w("notifications.order_waits", { number: order.number }));
    await notice.click();
    await operator.waitForURL(new RegExp(order.id));
    await expect(bell).toHaveAccessibleName(String(w("notifications.bell")));
    await operator.goto("/notifications?filter=unread");
    await expect(operator.getByText(w("notifications.none_unread"), { exact: true })).toBeVisible();
  });
});
