// What the journeys share: one server for each language, people who are signed in, and a picture where a step ends.
import { type Browser, type Page, expect } from "@playwright/test";
import { type PageOptions, openPage, signIn, test } from "./pages.ts";
import { type Call, rest } from "./rest.ts";
import { Server } from "./server.ts";
import { LANGUAGES, type Language, type Words, words } from "./words.ts";

export type Visitor = Page & { faults: string[] };

export interface Journey {
  language: Language;
  w: Words;
  server: Server;
  /** The page of this person, signed in at the first call; the same page afterwards. */
  as(login: string): Promise<Visitor>;
  /** A page without a session; it closes with the test unless told otherwise. */
  stranger(until?: PageOptions["until"]): Promise<Visitor>;
  /** Calls the API as this person. */
  api(login: string, scopes: string[]): Call;
}

/** Walks the same story in every language, each on a server of its own. The steps of a story run in order and stop at the first that fails. */
export function journey(name: string, story: (journey: Journey) => void, flags: string[] = ["--demo"]): void {
  for (const language of LANGUAGES) {
    test.describe(`${name}, ${language}`, () => {
      test.describe.configure({ mode: "serial" });
      const people = new Map<string, Promise<Visitor>>();
      let server: Server;
      let browser: Browser;
      test.beforeAll(async ({ browser: opened }) => {
        test.setTimeout(120_000);
        people.clear();
        browser = opened;
        server = await Server.start(flags);
      });
      test.afterAll(async () => server?.stop());
      test.afterEach(async () => {
        for (const page of await Promise.all(people.values())) expect(page.faults.splice(0), "console").toEqual([]);
      });
      const open = async (until: PageOptions["until"] = "test"): Promise<Visitor> => {
        const page = await openPage(browser, server, { acceptDownloads: true, until });
        await page.context().addCookies([{ name: "language", value: language, url: server.url }]);
        return page;
      };
      const enter = async (login: string): Promise<Visitor> => {
        const page = await open("server");
        await signIn(page, server, login);
        return page;
      };
      story({
        language,
        w: words(language),
        get server() {
          return server;
        },
        as(login) {
          const known = people.get(login) ?? enter(login);
          people.set(login, known);
          return known;
        },
        stranger: open,
        api: (login, scopes) => rest(server, login, scopes),
      });
    });
  }
}
