// What must survive: a crash, a restart, a cluster that is away, an empty installation.
import { expect } from "@playwright/test";
import { objectsOfLectern } from "../support/cluster.ts";
import { openPage, signIn, test } from "../support/pages.ts";
import { Server } from "../support/server.ts";

const BODY = { offering: "jupyterlab-slice", course: "CV2402", parameters: {}, duration_minutes: 60 };

function bearer(server: Server): string {
  return server.command("token", "create", "--user", "teacher", "--scope", "orders:write", "--scope", "labs:read", "--scope", "labs:write").trim();
}

async function send(server: Server, token: string, key: string) {
  const answer = await fetch(`${server.url}/api/v1/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(BODY),
  });
  return { status: answer.status, json: await answer.json() };
}

async function labState(server: Server, token: string, id: string): Promise<string> {
  return (await (await fetch(`${server.url}/api/v1/labs/${id}`, { headers: { authorization: `Bearer ${token}` } })).json()).state;
}

test("a server killed right after an order finds the order, the session and the cluster again", async ({ browser }) => {
  const server = await Server.start();
  try {
    const page = await openPage(browser, server);
    await signIn(page, server, "teacher");
    const token = bearer(server);
    const made = await send(server, token, "one");
    expect(made.status).toBe(201);
    await server.end("SIGKILL");
    await server.run();
    // A client that never heard the answer asks again.
    const again = await send(server, token, "one");
    expect(again.json.id).toBe(made.json.id);
    await expect.poll(() => labState(server, token, made.json.labs[0]), { timeout: 45_000 }).toBe("running");
    const pods = (await objectsOfLectern(server.kubeconfig)).filter((object) => object.startsWith("Pod/"));
    expect(pods).toHaveLength(1);
    await page.goto("/labs");
    await expect(page.locator("h1")).toBeVisible();
    await expect(page).toHaveURL(/\/labs/);
    expect(await server.end("SIGTERM")).toBe(0);
  } finally {
    await server.stop();
  }
});

test("while the cluster is away orders are taken and wait, the page says so, and they go on when it is back", async ({ browser }) => {
  // The simulator alone, as a cluster that can be taken away.
  const simulator = await Server.start();
  const server = await Server.start(["--demo", "--cluster", `kubeconfig:${simulator.kubeconfig}`]);
  try {
    const token = bearer(server);
    const page = await openPage(browser, server);
    await signIn(page, server, "teacher");
    await simulator.end("SIGKILL");
    const made = await send(server, token, "while-away");
    expect(made.status).toBe(201);
    await expect(async () => {
      await page.goto("/labs");
      await expect(page.locator("main, .shell, body").first()).toContainText("out of reach", { timeout: 1_000 });
    }).toPass({ timeout: 45_000 });
    expect(await labState(server, token, made.json.labs[0])).toBe("pending");
    await simulator.run();
    await expect.poll(() => labState(server, token, made.json.labs[0]), { timeout: 55_000 }).toBe("running");
  } finally {
    await server.stop();
    await simulator.stop();
  }
});

test("an empty installation is set up by whoever has read the log", async ({ browser }) => {
  const server = await Server.start(["--no-demo"]);
  try {
    const page = await openPage(browser, server);
    await page.goto("/");
    await expect(page).toHaveURL(/\/setup/);
    await page.locator("#code").fill("WRNG-CODE-WRNG-CODE");
    await page.locator("#college").fill("Information Engineering");
    await page.locator("#login").fill("admin");
    await page.locator("#name").fill("Administrator");
    await page.locator("#password").fill("a sentence as a password");
    await page.locator("form.signin button").click();
    await expect(page).toHaveURL(/\/setup/);
    await expect(page.locator("#college")).toHaveValue("Information Engineering");
    const code = /set-up code ([A-Z0-9-]+)/.exec(server.output)?.[1] ?? "";
    expect(code).not.toBe("");
    await page.locator("#code").fill(code);
    await page.locator("#password").fill("a sentence as a password");
    await page.locator("form.signin button").click();
    await page.waitForURL(`${server.url}/`);
    await page.goto("/courses");
    await page.locator("#code").fill("AI2301");
    await page.locator("#name").fill("Deep learning");
    await page.locator("#budget").fill("5000");
    await page.locator("#cards").fill("8");
    await page.getByRole("button", { name: "Add the course" }).click();
    await expect(page.locator("main")).toContainText("AI2301");
    await page.goto("/people");
    await page.locator("#login").fill("li.hua");
    await page.locator("#name").fill("Li Hua");
    await page.locator("#invite-teacher").check();
    await page.locator('input[name="access[courses][0]"]').check();
    await page.getByRole("button", { name: "Invite and make the link" }).click();
    await expect(page.locator("#one-time-link input")).toHaveValue(/\/join\/lnk_/);
    await page.goto("/people");
    await expect(page.locator("table")).toContainText("li.hua");
    await expect(page.locator("tr", { hasText: "li.hua" })).toContainText("AI2301");
  } finally {
    await server.stop();
  }
});
