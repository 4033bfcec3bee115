// Two workers, a file each: the tests of a file share one server and one story, and many steps wait for the cluster.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  workers: 2,
  fullyParallel: false,
  // A second try is reported as flaky in the totals; it keeps one slow moment of a busy machine from failing everything.
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ...(process.env.RESULTS ? ([["json", { outputFile: process.env.RESULTS }]] as const) : [])],
  use: {
    locale: "en-GB",
    viewport: { width: 1440, height: 900 },
    // Recording every page of every test costs more than the tests do; the second try of what failed is recorded.
    trace: "on-first-retry",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
