// A lab whose page wants more than its own lab: the portal, its owner's other lab, other people's sessions. On a laptop each lab is a site of
// its own; at a college the portal and all labs are hosts of one domain, which is harder, since browsers send cookies between these.
import { join } from "node:path";
import { type Page, expect } from "@playwright/test";
import { startCampus } from "../support/campus.ts";
import { NOTEBOOK, askLabSite, handOver, opened, runningLabs } from "../support/labs.ts";
import { hydrated, openPage, signIn, test } from "../support/pages.ts";
import { type Call, rest } from "../support/rest.ts";
import { Server } from "../support/server.ts";

type Visitor = Page & { faults: string[] };

/** A request that arrived at the application in the lab. */
interface Arrived {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const FLAGS = ["--demo", "--labs", "local"];
const LAPTOP = "on a laptop";
const WORLDS = {
  [LAPTOP]: async () => {
    const server = await Server.start(FLAGS);
    return { server, stop: () => server.stop() };
  },
  "at a college": () => startCampus(FLAGS),
};

/** Puts the hostile application on sale. */
async function publish(server: Server): Promise<void> {
  const call = rest(server, "operator", ["admin"]);
  const size = { card: "a100-80g-1g.10gb", cards_per_node: 1, nodes: 1, cpu_cores: 2, memory_gib: 8, storage_gib: 10 };
  await call("POST", "/offerings", {
    slug: "hostile",
    name: { zh: "恶意应用", en: "Hostile application" },
    summary: { zh: "只用于测试。", en: "For tests only." },
    icon: "code",
    workload: "code_editor",
    base: { ...size, image: "example.test/hostile:1", command: ["node", join(import.meta.dirname, "../support/hostile_lab.mjs")], port: 8080 },
    duration: { default: 60, min: 30, max: 120 },
    parameters: [],
  });
  await call("POST", "/offerings/hostile/publish");
}

/** Sends a form from a page into a window of its own. */
async function post(from: Page, address: string, fields: Record<string, string>, referrerPolicy = ""): Promise<void> {
  await from.evaluate(
    ([address, fields, policy]) => {
      const form = Object.assign(document.createElement("form"), { action: address, method: "post", target: "_blank" });
      if (policy !== "") form.rel = "noreferrer";
      for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      document.body.append(form);
      form.submit();
      form.remove();
    },
    [address, fields, referrerPolicy] as const,
  );
}

for (const [where, start] of Object.entries(WORLDS)) {
  test.describe(where, () => {
    test.describe.configure({ mode: "serial" });

    let server: Server;
    let stop: () => Promise<void> = async () => {};
    let call: Call;
    let teacher: Visitor;
    /** The hostile lab, and another one of the same person. */
    let [lab, sibling] = ["", ""];
    let [tab, other]: [Page, Page] = [undefined as never, undefined as never];

    test.beforeAll(async ({ browser }) => {
      test.setTimeout(120_000);
      ({ server, stop } = await start());
      await publish(server);
      call = rest(server, "teacher", ["labs:read", "orders:read"]);
      teacher = await openPage(browser, server, { ignoreHTTPSErrors: true });
      await signIn(teacher, server, "teacher");
      const order = { ...NOTEBOOK, offering: "hostile" };
      [lab = "", sibling = ""] = await runningLabs(server, "teacher", [order, order]);
      [tab, other] = [await enter(lab), await enter(sibling)];
    });
    test.afterAll(async () => stop());

    async function enter(id: string): Promise<Page> {
      await teacher.goto(`/labs/${id}`);
      await hydrated(teacher);
      const page = await opened(teacher, id);
      await expect(page.getByRole("heading", { name: "Hostile lab" })).toBeVisible();
      return page;
    }

    /** Asked from the lab's own page. */
    const arrived = (page: Page): Promise<Arrived[]> => page.evaluate(async () => (await fetch("/arrived")).json());
    /** Labs and orders of the person, as the portal has them. */
    const state = async () => {
      const [one, two] = [await call("GET", `/labs/${lab}`), await call("GET", `/labs/${sibling}`)];
      return { states: [one.state, two.state], orders: (await call("GET", "/orders")).items.length };
    };
    /** The person is signed in, and both labs let them in. */
    const allIsWell = async () => {
      await teacher.goto("/labs");
      await expect(teacher.locator("main")).toContainText(new URL(tab.url()).hostname.replace(/-[0-9a-f]{10}\..*/, ""));
      for (const page of [tab, other]) {
        expect((await page.reload())?.status()).toBe(200);
        await expect(page.getByRole("heading", { name: "Hostile lab" })).toBeVisible();
      }
    };

    test("its page sees no cookie of ours, and those that it sets lock nobody out", async () => {
      expect(await tab.evaluate(() => document.cookie)).toBe("");
      // Of an answer's cookies only those of other names than ours and of the lab's own host are left.
      await tab.evaluate(() => fetch("/cookies"));
      expect(await tab.evaluate(() => document.cookie)).toBe("own=1");
      const ours = async () => (await teacher.context().cookies()).filter(({ httpOnly }) => httpOnly);
      const before = await ours();
      // A script may set cookies with our names, for all hosts of the domain, and many of them.
      await tab.evaluate(() => {
        const parts = location.hostname.split(".");
        const domains = parts.slice(1).map((_, at) => `; Domain=${parts.slice(at + 1).join(".")}`);
        const names = ["lectern", "lectern-lab", "lectern-device"].flatMap((name) => [name, `__Host-${name}`]);
        for (const domain of ["", ...domains]) {
          for (const name of names) for (const more of ["", "; Secure"]) document.cookie = `${name}=evil; Path=/${more}${domain}`;
        }
        for (const domain of domains) for (let number = 0; number < 300; number++) document.cookie = `evil${number}=evil; Path=/${domain}`;
        // Over http one of our name arrives beside the pass, and before it where its path is longer.
        for (let path = "/1"; path.length < 20; path += "/1") {
          for (const name of ["lectern-lab", "evil"]) document.cookie = `${name}=evil; Path=${path}; Domain=${location.hostname}`;
        }
        document.cookie = "evil=last; Path=/";
      });
      expect(await ours()).toEqual(before);
      expect((await tab.goto(new URL("/1".repeat(12), tab.url()).href))?.status()).toBe(200);
      await expect(tab.getByRole("heading", { name: "Hostile lab" })).toBeVisible();
      const sent = (await arrived(tab)).filter(({ url }) => url.startsWith("/1/1")).at(-1)?.headers.cookie ?? "";
      // Of one domain the browser has dropped some by now; over http it sends those for longer paths first.
      if (where === LAPTOP) {
        expect(sent.split("; ").filter((cookie) => cookie.startsWith("evil="))).toEqual([...Array(9).fill("evil=evil"), "evil=last"]);
      }
      expect(sent).not.toContain("lectern");
      await tab.goto(new URL("/", tab.url()).href);
      await allIsWell();
      for (const { name, value, domain } of await teacher.context().cookies()) {
        if (value === "evil") await teacher.context().clearCookies({ name, domain });
      }
    });

    test("its page reads nothing and changes nothing at the portal", async () => {
      const before = await state();
      const refused = () => server.output.split("a form of another site was refused").length - 1;
      const refusedBefore = refused();
      const forms = {
        [`/api/labs/stop`]: `id=${sibling}`,
        [`/api/labs/destroy`]: `id=${sibling}`,
        [`/api/orders/submit`]: "offering=jupyterlab-slice&course=CV2402&duration_minutes=60",
        [`/labs/${sibling}/open`]: "",
        "/sign-out": "",
      };
      const outcome = await tab.evaluate(
        async ([portal, forms, sibling]) => {
          const failed = (promise: Promise<unknown>) => promise.then(() => "done", () => "failed");
          const sent = Object.entries(forms).map(([path, body]) => {
            const form = { method: "POST", body, credentials: "include" as const };
            const simple = { ...form, headers: { "content-type": "application/x-www-form-urlencoded" } };
            const blind = [simple, form].map((form) => fetch(portal + path, { ...form, mode: "no-cors" }));
            return [...blind, failed(fetch(portal + path, simple))];
          });
          await Promise.all(sent.flat());
          const reads = ["/labs", "/api/labs/list", "/api/v1/labs", "/events"].map((path) => failed(fetch(portal + path, { credentials: "include" })));
          const socket = new Promise((done) => {
            const made = new WebSocket(`${portal.replace("http", "ws")}/labs/${sibling}/terminal/socket`);
            made.onopen = () => done("done");
            made.onerror = () => done("failed");
          });
          const events = new Promise((done) => {
            const made = new EventSource(`${portal}/events`, { withCredentials: true });
            made.onopen = () => done("done");
            made.onerror = () => (made.close(), done("failed"));
          });
          return Promise.all([...reads, socket, events]);
        },
        [server.site, forms, sibling] as const,
      );
      expect(outcome).toEqual(Array(6).fill("failed"));
      // A form that goes to a window of its own is the browser's own request, with every cookie that the browser would send.
      for (const [path, body] of Object.entries(forms)) {
        const opening = teacher.context().waitForEvent("page");
        await post(tab, server.site + path, Object.fromEntries(new URLSearchParams(body)));
        const popup = await opening;
        await expect(popup.locator("body")).not.toBeEmpty();
        await popup.close();
      }
      await expect.poll(() => refused() - refusedBefore).toBe(4 * Object.keys(forms).length);
      expect(await state()).toEqual(before);
      await allIsWell();
    });

    test("its page frames neither the portal nor another lab, and reaches no window of theirs", async () => {
      expect(await tab.evaluate(() => window.opener)).toBe(null);
      const before = (await arrived(other)).length;
      await tab.evaluate(async (addresses) => {
        const frames = addresses.map((address) => Object.assign(document.createElement("iframe"), { src: address }));
        const loaded = frames.map((frame) => new Promise((done) => (frame.onload = done)));
        document.body.append(...frames);
        await Promise.all(loaded);
      }, [server.site, `${server.site}/labs/${sibling}/open`, new URL("/framed", other.url()).href]);
      await expect.poll(() => tab.frames().slice(1).map((frame) => frame.url().split(":")[0])).toEqual(Array(3).fill("chrome-error"));
      expect((await arrived(other)).slice(before)).toEqual([]);
      // A window that the page opens is out of its hands as soon as the portal is in it.
      const opening = teacher.context().waitForEvent("page");
      await tab.evaluate((portal) => Object.assign(window, { opened: window.open(`${portal}/labs`) }), server.site);
      const popup = await opening;
      await popup.waitForURL(`${server.site}/labs`);
      expect(await popup.evaluate(() => window.opener)).toBe(null);
      expect(await tab.evaluate(() => (window as unknown as { opened: Window }).opened.closed)).toBe(true);
      await popup.close();
    });

    test("its page does nothing in another lab of the same person", async () => {
      const before = (await arrived(other)).length;
      const address = new URL("/api/terminals", other.url()).href;
      const outcome = await tab.evaluate(async (address) => {
        const failed = (promise: Promise<unknown>) => promise.then(() => "done", () => "failed");
        const form = { method: "POST", headers: { "content-type": "text/plain" }, body: "{}", credentials: "include" as const };
        await fetch(address, { ...form, mode: "no-cors" });
        await fetch(address, { mode: "no-cors", credentials: "include" });
        const read = [failed(fetch(address, form)), failed(fetch(address, { credentials: "include" })), failed(fetch(address, { ...form, method: "PUT" }))];
        const socket = new Promise((done) => {
          const made = new WebSocket(address.replace("http", "ws"));
          made.onopen = () => done("done");
          made.onerror = () => done("failed");
        });
        const picture = new Promise((done) => {
          Object.assign(new Image(), { onload: () => done("done"), onerror: () => done("failed"), src: address });
        });
        return Promise.all([...read, socket, picture]);
      }, address);
      expect(outcome).toEqual(Array(5).fill("failed"));
      const opening = teacher.context().waitForEvent("page");
      await post(tab, address, { name: "evil" });
      const popup = await opening;
      // Between sites the browser sends no cookie with it.
      await expect(popup.locator("body")).toContainText(/A request from another site was refused|This browser has no access to the lab/);
      await popup.close();
      expect((await arrived(other)).slice(before)).toEqual([]);
      // Its own lab takes all of that from its own page.
      const own = await tab.evaluate(async () => (await fetch("/api/terminals", { method: "POST", body: "{}" })).status);
      expect(own).toBe(200);
    });

    test("its page lets nobody in by a ticket of somebody else", async ({ browser }) => {
      const manager = await openPage(browser, server, { ignoreHTTPSErrors: true });
      await signIn(manager, server, "manager");
      const passes = async () => (await teacher.context().cookies()).filter(({ name }) => name.endsWith("lectern-lab"));
      const before = await passes();
      for (const id of [lab, sibling]) {
        const { action, ticket } = await handOver(manager, id);
        expect(ticket).not.toBe("");
        for (const policy of ["", "no-referrer"]) {
          const opening = teacher.context().waitForEvent("page");
          await post(tab, action, { ticket, next: "/" }, policy);
          const popup = await opening;
          await expect(popup.locator("body")).toContainText("This was not opened from Lectern");
          await popup.close();
        }
        const fetched = tab.evaluate(
          async ([action, ticket]) => {
            const answer = await fetch(action, { method: "POST", body: new URLSearchParams({ ticket }), credentials: "include", mode: "no-cors" });
            return [answer.type, answer.status];
          },
          [action, ticket] as const,
        );
        expect(await fetched).toEqual(id === lab ? ["basic", 403] : ["opaque", 0]);
        // It is still good: nobody took it.
        const headers = { origin: server.site, "content-type": "application/x-www-form-urlencoded" };
        const body = new URLSearchParams({ ticket }).toString();
        const { status } = await askLabSite(server, { host: new URL(action).host, method: "POST", path: "/.lectern/enter", headers, body });
        expect(status).toBe(303);
      }
      expect(await passes()).toEqual(before);
    });

    // By https Chromium takes no worker from a host whose certificate it does not know.
    if (where === LAPTOP) {
      test("its service worker sees no ticket", async () => {
        const registered = await tab.evaluate(async () => {
          const register = (script: string, options?: RegistrationOptions) =>
            navigator.serviceWorker.register(script, options).then(({ scope }) => new URL(scope).pathname, () => "refused");
          // A browser may make a worker of a page's script that it kept.
          await (await fetch("/worker.js")).text();
          return [
            await register("/worker.js", { updateViaCache: "all" }),
            await register("/worker.js"),
            await register("/worker.js", { scope: "/.lectern/" }),
            await register("/folder/worker.js", { scope: "/" }),
            await register("/folder/worker.js", { scope: "/.lectern/enter" }),
            await register("/.lectern/worker.js"),
            await register("/folder/worker.js"),
          ];
        });
        expect(registered).toEqual([...Array(6).fill("refused"), "/folder/"]);
        // Workers in folders see the requests of their folder, and never the way in.
        const page = await enter(lab);
        await page.goto(new URL("/folder/page", tab.url()).href);
        await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
        await page.reload();
        await (await enter(lab)).close();
        const seen = await page.evaluate(async () => {
          const ask = (worker: ServiceWorker | null) =>
            new Promise<string[]>((done) => {
              const channel = new MessageChannel();
              channel.port1.onmessage = ({ data }) => done(data);
              worker?.postMessage("", [channel.port2]);
            });
          const registrations = await navigator.serviceWorker.getRegistrations();
          return (await Promise.all(registrations.map(({ active }) => ask(active)))).flat().map((line) => line.replace(location.origin, ""));
        });
        expect(seen).toContain("GET /folder/page");
        expect(seen.filter((line) => line.includes("/.lectern"))).toEqual([]);
        expect(JSON.stringify(await arrived(tab))).not.toContain("ticket=");
        await page.close();
      });
    }

    // A terminal is the same in both.
    if (where === LAPTOP) {
      test("what its programs write to the terminal types nothing and reaches no clipboard", async () => {
        await teacher.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.site });
        await teacher.goto(`/labs/${lab}/terminal`);
        const rows = teacher.locator(".terminal-rows");
        await expect(rows).toContainText(/[$#]\s*$/, { timeout: 20_000 });
        await teacher.evaluate(() => navigator.clipboard.writeText("before"));
        // The variable takes all that comes back up to the answer to `CSI 6n`, and shows it: nothing but that answer.
        const asks = String.raw`\e]52;c;ZXZpbA==\a\e]52;c;?\a\e]2;evil\a\e[21t\e[20t\e[>c\e[>q\eP$qm\e\\\e[?6n\e[6n`;
        await teacher.keyboard.type(`IFS= read -rsd R -p "$(printf '${asks}')" back; printf '<%q>\\n' "$back"`);
        await teacher.keyboard.press("Enter");
        await expect(rows).toContainText(/<\$'\\E\[\d+;\d+'>/);
        expect(await teacher.evaluate(() => navigator.clipboard.readText())).toBe("before");
        // A title of a megabyte is cut, and one that is markup is text.
        await teacher.keyboard.type(String.raw`printf '\e]2;<b>'; head -c 1000000 /dev/zero | tr '\0' x; printf '\a'; echo done''here`);
        await teacher.keyboard.press("Enter");
        await expect(rows).toContainText("donehere");
        expect(await teacher.locator("main b").count()).toBe(0);
        expect(await teacher.evaluate(() => document.title.length + document.querySelector("main")!.textContent!.length)).toBeLessThan(20_000);
        // A shell that is told of pastes runs nothing of one, though it says that it ends.
        await teacher.locator(".terminal-input").evaluate((element) => {
          const data = new DataTransfer();
          data.setData("text/plain", "echo one\u001b[201~\necho t''wo\n");
          element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        });
        await expect(rows).toContainText("echo t''wo");
        await teacher.keyboard.press("Control+c");
        await teacher.keyboard.type("echo af''ter");
        await teacher.keyboard.press("Enter");
        await expect(rows).toContainText("after");
        expect((await rows.innerText()).split("\n")).not.toContain("two");
      });
    }

    // Hosts of other domains keep their cookies.
    if (where !== LAPTOP) {
      test("a flood of cookies signs people out at worst, who sign in again", async () => {
        // Browsers keep only so many cookies for a domain, and those of https as long as the others.
        await tab.evaluate(() => {
          const domain = location.hostname.split(".").slice(2).join(".");
          for (let number = 0; number < 300; number++) document.cookie = `evil${number}=evil; Path=/; Secure; Domain=${domain}`;
        });
        await teacher.goto("/labs");
        // The browser chooses which cookies it drops.
        if (new URL(teacher.url()).pathname === "/sign-in") {
          await signIn(teacher, server, "teacher");
        }
        await enter(lab);
      });
    }
  });
}
