// Adds up what the test runs reported: `N passed, N failed, N skipped`, with the reason of each skip.
// A run that left no report counts as a failure, so that silence is never green.
import { existsSync, readFileSync } from "node:fs";

const { RUST, BROWSER, SKIPPED } = process.env;
const only = process.env.ONLY ?? "all";
const total = { passed: 0, failed: 0, skipped: 0 };
const reasons = [];

if (only !== "browser") {
  const log = existsSync(RUST) ? readFileSync(RUST, "utf8") : "";
  const results = [...log.matchAll(/^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  for (const [, passed, failed, ignored] of results) {
    total.passed += Number(passed);
    total.failed += Number(failed);
    total.skipped += Number(ignored);
  }
  for (const [, name, why] of log.matchAll(/^test (.+?) \.\.\. ignored(?:, (.*))?$/gm)) reasons.push(`${name}: ${why ?? "ignored"}`);
  if (results.length === 0 || /^error: could not compile/m.test(log)) {
    total.failed += 1;
    console.log("The Rust tests did not run to their end.");
  }
  // A test that skipped itself (or one of its halves, say PostgreSQL) returned normally: it counts as skipped, not as passed.
  const noted = existsSync(SKIPPED) ? readFileSync(SKIPPED, "utf8").split("\n").filter(Boolean) : [];
  total.skipped += noted.length;
  total.passed -= noted.length;
  reasons.push(...noted);
}

if (only !== "rust") {
  if (existsSync(BROWSER)) {
    const report = JSON.parse(readFileSync(BROWSER, "utf8"));
    total.passed += report.stats.expected + report.stats.flaky;
    total.failed += report.stats.unexpected + report.errors.length;
    total.skipped += report.stats.skipped;
    const walk = (suite, path) => {
      for (const inner of suite.suites ?? []) walk(inner, [...path, inner.title]);
      for (const spec of suite.specs ?? []) {
        for (const test of spec.tests) {
          if (test.status === "skipped") reasons.push(`${[...path, spec.title].join(" > ")}: ${test.annotations.find((a) => a.type === "skip")?.description ?? "no reason given"}`);
        }
      }
    };
    for (const suite of report.suites) walk(suite, [suite.title]);
    if (report.stats.flaky > 0) console.log(`${report.stats.flaky} browser test(s) passed only on a second try.`);
  } else {
    total.failed += 1;
    console.log("The browser tests did not run to their end.");
  }
}

for (const reason of reasons) console.log(`skipped: ${reason}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
