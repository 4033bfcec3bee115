// Adds up what the test runs reported: `N passed, N failed, N skipped`, with the reason of each skip.
// What failed is named right above the totals. LECTERN_NO_SKIP names programs for whose sake nothing may be skipped. A run that left no report counts as a failure, so that silence is never green.
import { existsSync, readFileSync } from "node:fs";

const { RUST, API, BROWSER, SKIPPED } = process.env;
const only = process.env.ONLY ?? "all";
const ran = (part) => only === "all" || only === part;
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** Why something was skipped, with what was skipped for that reason. */
const skips = new Map();
const skip = (name, why) => skips.set(why, [...(skips.get(why) ?? []), name]);

if (ran("rust")) {
  const log = existsSync(RUST) ? readFileSync(RUST, "utf8") : "";
  const results = [...log.matchAll(/^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  for (const [, passed, failed, ignored] of results) {
    total.passed += Number(passed);
    total.failed += Number(failed);
    total.skipped += Number(ignored);
  }
  for (const [, name, why] of log.matchAll(/^test (.+?) \.\.\. ignored(?:, (.*))?$/gm)) skip(name, why ?? "ignored");
  for (const [, name] of log.matchAll(/^test (.+?) \.\.\. FAILED$/gm)) failures.push(name);
  if (results.length === 0 || /^error: could not compile/m.test(log)) {
    total.failed += 1;
    failures.push("the Rust tests did not run to their end");
  }
  // A test that skipped itself (or one of its halves, say PostgreSQL) returned normally: it counts as skipped, not as passed.
  const noted = existsSync(SKIPPED) ? readFileSync(SKIPPED, "utf8").split("\n").filter(Boolean) : [];
  total.skipped += noted.length;
  total.passed -= noted.length;
  for (const line of noted) {
    const [, name, why] = /^(.+?): (.*)$/.exec(line) ?? [null, line, "no reason given"];
    skip(name, why);
  }
}

// schemathesis: each operation of the API is a test, once for each of the two who ask.
for (const who of ran("api") ? ["administrator", "teacher"] : []) {
  const path = `${API}/${who}.json`;
  const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
  if (!report?.complete || report.operations.tested === 0) {
    total.failed += 1;
    failures.push(`the API as ${who}: schemathesis did not run to its end`);
    continue;
  }
  const wrong = new Map();
  for (const { title, operations } of report.failures) {
    for (const operation of operations) wrong.set(operation, [...(wrong.get(operation) ?? []), title]);
  }
  total.passed += report.operations.tested - wrong.size;
  total.failed += wrong.size + report.errors.length;
  for (const [operation, titles] of wrong) failures.push(`the API as ${who} > ${operation}: ${titles.join(", ")}`);
  for (const error of report.errors) failures.push(`the API as ${who}: ${JSON.stringify(error).slice(0, 300)}`);
  // What the time did not reach says nothing of itself.
  const missed = report.operations.selected - report.operations.tested;
  total.skipped += missed;
  if (missed > 0) skip(`the API as ${who}`, `${missed} operations that the time did not reach`);
}

if (ran("browser")) {
  if (existsSync(BROWSER)) {
    const report = JSON.parse(readFileSync(BROWSER, "utf8"));
    total.passed += report.stats.expected + report.stats.flaky;
    total.failed += report.stats.unexpected + report.errors.length;
    total.skipped += report.stats.skipped;
    const walk = (suite, path) => {
      for (const inner of suite.suites ?? []) walk(inner, [...path, inner.title]);
      for (const spec of suite.specs ?? []) {
        for (const test of spec.tests) {
          const name = [...path, spec.title].join(" > ");
          if (test.status === "skipped") skip(name, test.annotations.find((a) => a.type === "skip")?.description ?? "an earlier step of its story failed");
          if (test.status === "unexpected") failures.push(`${name}: ${firstLines(test.results.at(-1)?.error?.message)}`);
          if (test.status === "flaky") console.log(`only on a second try: ${name}: ${firstLines(test.results[0]?.error?.message)}`);
        }
      }
    };
    for (const suite of report.suites) walk(suite, [suite.title]);
    for (const error of report.errors) failures.push(firstLines(error.message));
  } else {
    total.failed += 1;
    failures.push("the browser tests did not run to their end");
  }
}

/** The beginning of a browser test's error, without colours. */
function firstLines(message = "no message") {
  return message.replace(/\u001b\[[0-9;]*m/g, "").split("\n").filter(Boolean).slice(0, 6).join(" / ");
}

const never = (process.env.LECTERN_NO_SKIP ?? "").split(" ").filter(Boolean);
for (const [why, names] of skips) {
  if (!never.some((program) => why.includes(program))) continue;
  total.failed += 1;
  failures.push(`skipped, which counts as failed here, ${why}: ${names.join(", ")}`);
}
for (const [why, names] of skips) console.log(`skipped, ${why}: ${names.length}\n  ${names.join(", ")}`);
for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
