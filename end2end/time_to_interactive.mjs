// For `make bench`: how long a page takes until it answers to its reader, in Chromium on a slowed CPU and network.
// Reads {base, cpu, network: {latency, down, up}, again, pages: [{route, path, cookie}]} from standard input and writes a line for
// each page: {route, first, again, bytes}, milliseconds since the navigation began and bytes that travelled at the first visit.
import { readFileSync } from "node:fs";
import { chromium } from "@playwright/test";

const asked = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Notes in the page when the WebAssembly took it over. */
function watch() {
  const note = () => {
    if (window.interactive === undefined && document.documentElement?.hasAttribute("data-hydrated")) window.interactive = performance.now();
  };
  new MutationObserver(note).observe(document, { attributes: true, subtree: true, childList: true, attributeFilter: ["data-hydrated"] });
}

async function visit(page, path) {
  await page.goto(path, { waitUntil: "commit", timeout: 60_000 });
  await page.locator("html[data-hydrated]").waitFor({ timeout: 60_000 });
  return page.evaluate(() => window.interactive);
}

for (const { route, path, cookie } of asked.pages) {
  // A context of its own is a browser that was never here.
  const context = await browser.newContext({ baseURL: asked.base, viewport: { width: 1440, height: 900 }, locale: "zh-CN" });
  const [name, value] = cookie.split("=");
  if (cookie) await context.addCookies([{ name, value, url: asked.base }]);
  await context.addInitScript(watch);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: asked.network.latency, downloadThroughput: asked.network.down / 8, uploadThroughput: asked.network.up / 8 });
  await session.send("Emulation.setCPUThrottlingRate", { rate: asked.cpu });
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  const first = await visit(page, path);
  const travelled = bytes;
  const again = [];
  for (let time = 0; time < asked.again; time++) again.push(await visit(page, path));
  again.sort((one, other) => one - other);
  process.stdout.write(`${JSON.stringify({ route, first, again: again[again.length >> 1], bytes: travelled })}\n`);
  await context.close();
}
await browser.close();
