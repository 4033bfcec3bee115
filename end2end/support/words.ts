// The texts of the pages, read from the files that the pages are made from: a journey is written once and walked in both languages.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

// Another build than the source's needs the texts that it was built with.
const LOCALES = process.env.LECTERN_LOCALES ?? resolve(import.meta.dirname, "../../app/locales");

export const LANGUAGES = ["en", "zh-CN"] as const;
export type Language = (typeof LANGUAGES)[number];

/** `feature.key` gives the text; a value that is left open stands for anything, so that the answer fits `getByRole` and `toContainText`. */
export type Words = (key: string, values?: Record<string, string | number>) => string | RegExp;

export function words(language: Language): Words {
  const files = new Map<string, Record<string, string>>();
  return (key, values = {}) => {
    const [feature = "", name = ""] = key.split(".");
    const file = files.get(feature) ?? JSON.parse(readFileSync(join(LOCALES, language, `${feature}.json`), "utf8"));
    files.set(feature, file);
    const text: unknown = file[name];
    if (typeof text !== "string") throw new Error(`no text ${key} in ${language}`);
    const filled = text.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, value) => String(values[value] ?? whole));
    if (!filled.includes("{{")) return filled;
    const literal = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(filled.split(/\{\{\s*\w+\s*\}\}/).map(literal).join(".+"));
  };
}
