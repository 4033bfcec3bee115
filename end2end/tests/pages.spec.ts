// Every page as its reader sees it: no accessibility faults, nothing wider than the screen, no list crushed, and a picture.
import AxeBuilder from "@axe-core/playwright";
import { type Page, expect } from "@playwright/test";
import { openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";

// `make screens` puts the pictures into docs/; a plain test run must not change the tree.
const SCREENS = process.env.SCREENS ?? "test-results/screens";

interface View {
  name: string;
  path: string | (() => string);
  who: string | null;
}

let server: Server;
let waiting = "";
let running = "";
let course = "";
let person = "";

const VIEWS: View[] = [
  { name: "sign-in", path: "/sign-in", who: null },
  { name: "today", path: "/", who: "teacher" },
  { name: "catalogue", path: "/catalogue", who: "teacher" },
  { name: "offering", path: "/catalogue/batch-training", who: "teacher" },
  { name: "offerings", path: "/offerings", who: "operator" },
  { name: "offering-edit", path: "/offerings/vscode", who: "operator" },
  { name: "order", path: "/catalogue/jupyterlab-2xa100-1tb/order", who: "teacher" },
  { name: "orders", path: "/orders", who: "teacher" },
  { name: "order-detail", path: () => `/orders/${waiting}`, who: "teacher" },
  { name: "labs", path: "/labs", who: "teacher" },
  { name: "lab", path: () => `/labs/${running}`, who: "teacher" },
  { name: "billing", path: "/billing", who: "teacher" },
  { name: "account", path: "/account", who: "teacher" },
  { name: "not-found", path: "/nowhere", who: "teacher" },
  { name: "approvals", path: "/approvals", who: "manager" },
  { name: "approval", path: () => `/approvals/${waiting}`, who: "manager" },
  { name: "audit", path: "/audit", who: "auditor" },
  { name: "people", path: "/people", who: "administrator" },
  { name: "courses", path: "/courses", who: "administrator" },
  { name: "cluster", path: "/cluster", who: "operator" },
  { name: "today-manager", path: "/", who: "manager" },
  { name: "today-auditor", path: "/", who: "auditor" },
  { name: "today-operator", path: "/", who: "operator" },
  { name: "today-administrator", path: "/", who: "administrator" },
  { name: "notifications", path: "/notifications", who: "manager" },
  { name: "search", path: "/search?q=AI2301", who: "teacher" },
  { name: "terminal", path: () => `/labs/${running}/terminal`, who: "teacher" },
  { name: "resize", path: () => `/labs/${running}/resize`, who: "teacher" },
  { name: "order-again", path: () => `/orders/${waiting}/again`, who: "teacher" },
  { name: "api-docs", path: "/api-docs", who: "teacher" },
  { name: "design", path: "/design", who: "teacher" },
  { name: "billing-manager", path: "/billing", who: "manager" },
  { name: "billing-months", path: "/billing/months", who: "manager" },
  { name: "adjustments", path: "/billing/adjustments", who: "administrator" },
  { name: "prices", path: "/prices", who: "administrator" },
  { name: "policies", path: "/policies", who: "administrator" },
  { name: "policy-rule", path: "/policies/1", who: "administrator" },
  { name: "course", path: () => `/courses/${course}`, who: "administrator" },
  { name: "person", path: () => `/people/${person}`, who: "administrator" },
  { name: "announcements", path: "/announcements", who: "administrator" },
  { name: "imports", path: "/imports", who: "administrator" },
  { name: "refused", path: "/prices", who: "teacher" },
  { name: "audit-timeline", path: "/audit?person=teacher&view=timeline", who: "auditor" },
];

test.beforeAll(async () => {
  server = await Server.start();
  const token = server.command("token", "create", "--user", "teacher", "--scope", "orders:write", "--scope", "labs:read").trim();
  const order = async (key: string, offering: string) => {
    const answer = await fetch(`${server.url}/api/v1/orders`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify({ offering, course: "AI2301", parameters: {}, duration_minutes: 90 }),
    });
    return answer.json();
  };
  const admin = server.command("token", "create", "--user", "administrator", "--scope", "admin", "--scope", "quotas:read").trim();
  const list = async (path: string) =>
    (await (await fetch(`${server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${admin}` } })).json()).items;
  course = (await list("/courses"))[0].id;
  person = (await list("/people"))[0].id;
  running = (await order("slice", "jupyterlab-slice")).labs[0];
  waiting = (await order("two-cards", "jupyterlab-2xa100-1tb")).id;
  await expect
    .poll(async () => (await (await fetch(`${server.url}/api/v1/labs/${running}`, { headers: { authorization: `Bearer ${token}` } })).json()).state, { timeout: 30_000 })
    .toBe("running");
});
test.afterAll(async () => {
  await server?.stop();
});

const LOOKS = [
  { width: 1440, height: 900, language: "zh-CN", theme: "light" },
  { width: 1440, height: 900, language: "en", theme: "dark" },
  { width: 390, height: 844, language: "zh-CN", theme: "dark" },
  { width: 390, height: 844, language: "en", theme: "light" },
] as const;

// Each look is a story of its own; a worker that takes one up starts a server for it.
test.describe.configure({ mode: "parallel" });

/** Items of lists whose words are broken, or that have a line for each character or two. */
async function crushed(page: Page): Promise<string[]> {
  return page.locator(".plain-list li").evaluateAll((items) => {
    const lines = (range: Range) => new Set(Array.from(range.getClientRects(), (box) => Math.round(box.top))).size;
    const isBroken = (text: Node) =>
      Array.from((text.textContent ?? "").matchAll(/(?<=^|\s)[A-Za-z]{2,12}(?=[\s,.;:]|$)/g)).some((word) => {
        const range = document.createRange();
        const start = word.index ?? 0;
        range.setStart(text, start);
        range.setEnd(text, start + word[0].length);
        return lines(range) > 1;
      });
    return items
      .filter((item) => {
        const whole = document.createRange();
        whole.selectNodeContents(item);
        const length = (item.textContent ?? "").trim().length;
        if (length >= 12 && lines(whole) > length / 2) return true;
        const texts = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
          if (!texts.currentNode.parentElement?.closest(".sr") && isBroken(texts.currentNode)) return true;
        }
        return false;
      })
      .map((item) => (item.textContent ?? "").trim());
  });
}

for (const look of LOOKS) {
  test(`every page in ${look.language}, ${look.theme}, ${look.width} px wide`, async ({ browser }) => {
    test.setTimeout(900_000);
    const pages = new Map<string | null, Page & { faults: string[] }>();
    for (const view of VIEWS) {
      let page = pages.get(view.who);
      if (!page) {
        page = await openPage(browser, server, { viewport: { width: look.width, height: look.height } });
        await page.context().addCookies([
          { name: "language", value: look.language, url: server.url },
          { name: "theme", value: look.theme, url: server.url },
        ]);
        if (view.who) await signIn(page, server, view.who);
        pages.set(view.who, page);
      }
      const path = typeof view.path === "string" ? view.path : view.path();
      await page.goto(path);
      await page.locator("h1").first().waitFor();
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${SCREENS}/${view.name}-${look.width}-${look.language}-${look.theme}.jpg`, type: "jpeg", quality: 45 });
      // The page of all components shows some of them twice, landmarks too.
      const found = await new AxeBuilder({ page }).disableRules(view.name === "design" ? ["landmark-unique"] : []).analyze();
      const faults = found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
      expect.soft(faults, `${view.name}: accessibility`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(overflow, `${view.name}: wider than the screen by`).toBeLessThanOrEqual(0);
      expect.soft(await crushed(page), `${view.name}: broken words in lists`).toEqual([]);
      expect.soft(page.faults.splice(0), `${view.name}: console`).toEqual([]);
    }
  });
}
