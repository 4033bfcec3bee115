// The terminal in the browser, on the simulated shell: prompt, keys, Ctrl-C, size, Chinese, pastes, and back in the same shell after a reload.
import { type Page, expect } from "@playwright/test";
import { runningLabs } from "../support/labs.ts";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { words } from "../support/words.ts";

test.describe.configure({ mode: "serial" });

const w = words("en");
const PROMPT = /lab@[^\s:]+:~\$\s*$/;

let server: Server;
let teacher: Page & { faults: string[] };
let lab = "";

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await Server.start();
  teacher = await openPage(browser, server);
  // The sockets that the page makes, so that a test can break one, and the bytes that came until the last Ctrl-C and until now.
  await teacher.addInitScript(() => {
    const made: WebSocket[] = [];
    const bytes = { interrupted: 0, received: 0 };
    const Native = window.WebSocket;
    window.WebSocket = class extends Native {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        made.push(this);
        this.addEventListener("message", (event) => {
          bytes.received += event.data instanceof ArrayBuffer ? event.data.byteLength : 0;
        });
      }
      override send(data: Parameters<WebSocket["send"]>[0]) {
        const message = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array();
        if (message.length === 2 && message[0] === 0 && message[1] === 3) {
          bytes.interrupted = bytes.received;
        }
        super.send(data);
      }
    };
    Object.assign(window, { sockets: made, bytes });
  });
  await signIn(teacher, server, "teacher");
  [lab = ""] = await runningLabs(server, "teacher");
});
test.afterAll(async () => server?.stop());
test.afterEach(async () => expect(teacher?.faults.splice(0) ?? []).toEqual([]));

const rows = (page: Page) => page.locator(".terminal-rows");
const input = (page: Page) => page.locator(".terminal-input");

/** The lines on the screen, without the empty ones. */
async function lines(page: Page): Promise<string[]> {
  const all = await page.locator(".terminal-row").evaluateAll((rows) => rows.map((row) => (row.textContent ?? "").trimEnd()));
  return all.filter((line) => line !== "");
}

/** The last line is a prompt that waits. */
async function prompt(page: Page): Promise<void> {
  await expect(async () => expect((await lines(page)).at(-1) ?? "").toMatch(PROMPT)).toPass({ timeout: 20_000 });
}

/** Types a line, and waits until it has run. */
async function run(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
  await expect(async () => {
    const seen = await lines(page);
    expect(seen.some((each) => each.endsWith(`$ ${line}`))).toBe(true);
    expect(seen.at(-1) ?? "").toMatch(PROMPT);
  }).toPass({ timeout: 20_000 });
}

test("the lab's page leads to a shell that has the size of the page at its first prompt", async () => {
  await teacher.goto(`/labs/${lab}`);
  await hydrated(teacher);
  await teacher.getByRole("link", { name: w("terminal.button"), exact: true }).click();
  await teacher.waitForURL(`**/labs/${lab}/terminal`);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 20_000 });
  await prompt(teacher);
  await expect(input(teacher)).toBeFocused();
  await run(teacher, "stty size");
  const count = await teacher.locator(".terminal-row").count();
  const size = (await lines(teacher)).find((line) => /^\d+ \d+$/.test(line)) ?? "";
  expect(size.split(" ")[0]).toBe(String(count));
  expect(Number(size.split(" ")[1])).toBeGreaterThan(40);
});

test("the size follows the window", async () => {
  await teacher.setViewportSize({ width: 900, height: 640 });
  await expect(async () => {
    await run(teacher, "stty size");
    const sizes = (await lines(teacher)).filter((line) => /^\d+ \d+$/.test(line));
    expect(sizes.at(-1)?.split(" ")[0]).toBe(String(await teacher.locator(".terminal-row").count()));
  }).toPass({ timeout: 20_000 });
});

test("a selection is copied by the keyboard, and typing goes on", async () => {
  await teacher.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  await run(teacher, "echo chosen");
  const row = teacher.locator(".terminal-row", { hasText: /^chosen$/ }).last();
  const selected = () => teacher.evaluate(() => String(window.getSelection()));
  const copied = () => teacher.evaluate(() => navigator.clipboard.readText());
  for (const keys of ["Control+Shift+C", "Control+c"]) {
    await teacher.evaluate(() => navigator.clipboard.writeText("before"));
    const place = await row.boundingBox();
    const cell = Number.parseFloat(await teacher.locator(".terminal").evaluate((element) => getComputedStyle(element).getPropertyValue("--cell")));
    const { x, y, height } = place ?? { x: 0, y: 0, height: 0 };
    await teacher.mouse.move(x + 1, y + height / 2);
    await teacher.mouse.down();
    await teacher.mouse.move(x + 6 * cell + 2, y + height / 2, { steps: 4 });
    await teacher.mouse.up();
    expect((await selected()).trim()).toBe("chosen");
    await teacher.keyboard.press(keys);
    await expect.poll(async () => (await copied()).trim()).toBe("chosen");
    // No click is needed between.
    await run(teacher, "echo goes on");
    await expect(input(teacher)).toBeFocused();
  }
});

test("the keys of the bar reach the shell", async () => {
  await teacher.keyboard.type("abc");
  const ctrl = teacher.locator('[data-key="Control"]');
  await ctrl.dispatchEvent("click");
  await expect(ctrl).toHaveAttribute("aria-pressed", "true");
  await teacher.keyboard.press("c");
  await prompt(teacher);
  await expect(ctrl).toHaveAttribute("aria-pressed", "false");
});

test("Chinese is typed, drawn in two cells each, and erased by one Backspace", async () => {
  await teacher.keyboard.insertText("echo 深度学");
  await teacher.keyboard.press("Backspace");
  await teacher.keyboard.insertText("习");
  await expect(rows(teacher)).toContainText("echo 深度习");
  await teacher.keyboard.press("Enter");
  await expect(async () => expect(await lines(teacher)).toContain("深度习")).toPass({ timeout: 10_000 });
  const width = await teacher.evaluate(() => {
    const wide = document.querySelector(".terminal-row .wide")?.getBoundingClientRect().width ?? 0;
    const cell = Number.parseFloat(getComputedStyle(document.querySelector(".terminal") as Element).getPropertyValue("--cell"));
    return { wide, cell };
  });
  expect(Math.abs(width.wide - 2 * width.cell)).toBeLessThan(0.1);
});

test("an input method sends each text once, and its Enter sends nothing", async () => {
  const session = await teacher.context().newCDPSession(teacher);
  // Pinyin: composed, then taken by a key that the input method keeps.
  await teacher.keyboard.type("echo ");
  await session.send("Input.imeSetComposition", { text: "shen", selectionStart: 4, selectionEnd: 4 });
  await input(teacher).dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
  await session.send("Input.insertText", { text: "深" });
  await expect(rows(teacher)).toContainText("echo 深");
  // Typed fast, as key code 229 without a composition.
  await input(teacher).dispatchEvent("keydown", { key: "Process", keyCode: 229, bubbles: true });
  await session.send("Input.insertText", { text: "模" });
  await expect(rows(teacher)).toContainText("echo 深模");
  expect(await rows(teacher).innerText()).not.toContain("shen");
  await teacher.keyboard.press("Enter");
  await expect(async () => expect(await lines(teacher)).toContain("深模")).toPass({ timeout: 10_000 });
  await session.detach();
});

test("what an input method takes by digits, punctuation and next keys comes once, in its order", async () => {
  const session = await teacher.context().newCDPSession(teacher);
  const compose = (text: string) => session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  const commit = (text: string) => session.send("Input.insertText", { text });
  /** A key that the input method keeps for itself. */
  const taken = (code: string) => session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Process", code, windowsVirtualKeyCode: 229 });
  await teacher.keyboard.type("echo ");
  // Wubi takes a character when the next one begins.
  await compose("w");
  await compose("wq");
  await Promise.all([taken("KeyV"), commit("你"), compose("v"), compose("vb"), taken("Space"), commit("好")]);
  // Pinyin: the second choice by its digit; one that is given up; punctuation that takes the first choice, and alone.
  await compose("shi");
  await Promise.all([taken("Digit2"), commit("是")]);
  await compose("zz");
  await Promise.all([taken("Escape"), compose("")]);
  await compose("jie");
  await Promise.all([taken("Comma"), commit("界，")]);
  await Promise.all([taken("Period"), commit("。")]);
  // Letters that come fast and without a composition, and letters as they are by Enter.
  await Promise.all([taken("KeyM"), commit("m"), taken("KeyO"), commit("o")]);
  await compose("abc");
  await Promise.all([taken("Enter"), commit("abc")]);
  await expect(rows(teacher)).toContainText("echo 你好是界，。moabc");
  await teacher.keyboard.press("Enter");
  await expect(async () => expect(await lines(teacher)).toContain("你好是界，。moabc")).toPass({ timeout: 10_000 });
  await prompt(teacher);
  expect((await lines(teacher)).filter((line) => line.includes("moabc"))).toHaveLength(2);
  await session.detach();
});

/** Most bytes between Ctrl-C and the prompt: the window, and what the portal, the cluster and their connection hold. */
const AHEAD = 512 * 1_024;

test("Ctrl-C ends a program that writes without end", async () => {
  await teacher.keyboard.type("yes");
  await teacher.keyboard.press("Enter");
  await expect(async () => expect((await lines(teacher)).at(-1)).toBe("y")).toPass({ timeout: 20_000 });
  await teacher.keyboard.press("Control+c");
  await prompt(teacher);
  const bytes = await teacher.evaluate(() => (window as unknown as { bytes: { interrupted: number; received: number } }).bytes);
  expect(bytes.interrupted).toBeGreaterThan(0);
  expect(bytes.received - bytes.interrupted).toBeLessThan(AHEAD);
  // Earlier lines are there.
  const scroller = teacher.locator(".terminal-scroll");
  expect(await scroller.evaluate((element) => element.scrollHeight > 2 * element.clientHeight)).toBe(true);
  await teacher.keyboard.press("Shift+PageUp");
  await expect(async () => expect((await lines(teacher)).at(-1)).toBe("y")).toPass({ timeout: 10_000 });
  await teacher.keyboard.type(" ");
  await prompt(teacher);
  await teacher.keyboard.press("Backspace");
});

test("a paste cannot end itself", async () => {
  await input(teacher).evaluate((element) => {
    const data = new DataTransfer();
    data.setData("text/plain", "echo a\u001b[201~b");
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await expect(rows(teacher)).toContainText("echo a[201~b");
  await teacher.keyboard.press("Enter");
  await prompt(teacher);
});

test("a reload comes back to the same shell", async () => {
  await run(teacher, "export COLOUR=green");
  await teacher.reload();
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 20_000 });
  await prompt(teacher);
  await run(teacher, "echo $COLOUR");
  expect(await lines(teacher)).toContain("green");
  await expect(teacher.locator("main")).not.toContainText(w("terminal.new_shell"));
});

test("a lost connection comes back by itself, with what was written meanwhile", async () => {
  await teacher.keyboard.type("sleep 1; echo meanwhile");
  await teacher.keyboard.press("Enter");
  await expect(rows(teacher)).toContainText("echo meanwhile");
  const before = await teacher.evaluate(() => {
    const sockets = (window as unknown as { sockets: WebSocket[] }).sockets;
    sockets.at(-1)?.close();
    return sockets.length;
  });
  await expect.poll(() => teacher.evaluate(() => (window as unknown as { sockets: WebSocket[] }).sockets.length)).toBeGreaterThan(before);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 20_000 });
  await prompt(teacher);
  expect((await lines(teacher)).filter((line) => line === "meanwhile")).toHaveLength(1);
  await run(teacher, "echo $COLOUR again");
  expect(await lines(teacher)).toContain("green again");
});

test("the keyboard leaves the terminal, and a shell that ended offers another", async () => {
  await teacher.keyboard.press("Control+Shift+L");
  await expect(teacher.getByRole("link", { name: w("terminal.leave") })).toBeFocused();
  await input(teacher).focus();
  await teacher.keyboard.type("exit");
  await teacher.keyboard.press("Enter");
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.ended"), { timeout: 20_000 });
  await teacher.getByRole("button", { name: w("terminal.another") }).click();
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.connected"), { timeout: 20_000 });
  await prompt(teacher);
});

test("others do not get in, and a stopped lab ends the shell", async ({ browser }) => {
  const auditor = await openPage(browser, server);
  await signIn(auditor, server, "auditor");
  await auditor.goto(`/labs/${lab}/terminal`);
  await expect(auditor.locator("main")).toContainText(w("terminal.never_title"));
  await expect(auditor.locator(".terminal")).toHaveCount(0);
  const answer = await teacher.context().request.post("/api/labs/stop", {
    headers: { origin: server.url, accept: "application/json" },
    form: { id: lab },
  });
  expect(answer.ok()).toBe(true);
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.lab_stopped"), { timeout: 30_000 });
  // Another one is not waited for.
  await teacher.getByRole("button", { name: w("terminal.another") }).click();
  await expect(teacher.locator("#terminal-state")).toHaveText(w("terminal.stopped"), { timeout: 20_000 });
});
