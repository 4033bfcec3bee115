// A server of the test's own: the built binary with demo content, its data in a temporary folder, on a free port.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BrowserContext } from "@playwright/test";

const ROOT = resolve(import.meta.dirname, "../..");
// Another build to test: the binary, and the site that was built from the same source.
const BINARY = process.env.LECTERN ?? join(ROOT, "target/debug/lectern");
const SITE = process.env.LECTERN_SITE ?? join(ROOT, "target/site");

export class Server {
  private child: ChildProcess | undefined;
  private log = "";
  /** Pages that stay open until this server stops. */
  readonly visitors: BrowserContext[] = [];
  private constructor(
    readonly data: string,
    readonly port: number,
    /** Of the lab site: `http://{lab}.localhost:LABS_PORT`. */
    readonly labsPort: number,
    private readonly flags: string[],
    /** What browsers call the portal, where that is another address than its own. */
    private readonly called: string | undefined,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The portal as browsers call it. */
  get site(): string {
    return this.called ?? this.url;
  }

  static async start(flags: string[] = ["--demo"], called?: string): Promise<Server> {
    const server = new Server(mkdtempSync(join(tmpdir(), "lectern-end2end-")), await freePort(), await freePort(), flags, called);
    await server.run();
    return server;
  }

  /** Starts the process (again, on the same data and port) and waits until it serves. */
  async run(): Promise<void> {
    const addresses = ["--listen", `127.0.0.1:${this.port}`, "--labs-listen", `127.0.0.1:${this.labsPort}`];
    this.child = spawn(BINARY, ["serve", ...addresses, "--data", this.data, "--site-root", SITE, ...this.flags], {
      cwd: ROOT,
      // A term of history only where a test asks for it: it takes up to a minute.
      env: { LECTERN_DEMO_HISTORY: "0", ...process.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on("data", (text) => (this.log += text));
    const child = this.child;
    for (const deadline = Date.now() + 30_000; ; ) {
      if (child.exitCode !== null) throw new Error(`the server ended:\n${this.log}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (Date.now() > deadline) throw new Error(`the server did not become ready:\n${this.log}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** SIGTERM by default; SIGKILL stands for a crash. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const exit = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
    child.kill(signal);
    return exit;
  }

  /** Closes the pages that belong to this server, ends it and removes its data. */
  async stop(): Promise<void> {
    await Promise.all(this.visitors.splice(0).map((context) => context.close()));
    await this.end();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** The password that the demo gave to this account. */
  password(login: string): string {
    const text = readFileSync(join(this.data, "demo-accounts.txt"), "utf8");
    const line = text.split("\n").map((line) => line.trim().split(/\s+/)).find(([name]) => name === login);
    if (!line?.[1]) throw new Error(`no demo account ${login}`);
    return line[1];
  }

  /** Runs `lectern ...` on this server's data and gives its standard output. */
  command(...words: string[]): string {
    return execFileSync(BINARY, words, { cwd: ROOT, env: { ...process.env, LECTERN_DATA: this.data }, encoding: "utf8" });
  }

  get output(): string {
    return this.log;
  }

  get kubeconfig(): string {
    return join(this.data, "simulator", "kubeconfig");
  }
}

async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? done(address.port) : fail(new Error("no port"))));
    });
  });
}
