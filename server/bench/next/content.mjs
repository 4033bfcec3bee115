// Reads the body of an HTML page from standard input and writes it as the JSON that app/page.jsx draws. Scripts are left out.
import { readFileSync } from "node:fs";

const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);
const NAMES = { class: "className", for: "htmlFor", tabindex: "tabIndex", maxlength: "maxLength", inputmode: "inputMode", autocomplete: "autoComplete", readonly: "readOnly", value: "defaultValue", checked: "defaultChecked", colspan: "colSpan", rowspan: "rowSpan", datetime: "dateTime", accesskey: "accessKey", spellcheck: "spellCheck", enctype: "encType", formaction: "formAction", novalidate: "noValidate", crossorigin: "crossOrigin" };
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", nbsp: "\u00a0" };
const decoded = (text) => text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);

function attributes(text) {
  const found = {};
  for (const [, name, , double, single, bare] of text.matchAll(/([^\s=/"'<>]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
    if (name === "selected" || name.startsWith("on")) continue;
    const value = double ?? single ?? bare;
    const key = NAMES[name] ?? (/^(aria|data)-/.test(name) ? name : name.replace(/[-:](\w)/g, (_, letter) => letter.toUpperCase()));
    if (name === "style") {
      found.style = Object.fromEntries(decoded(value ?? "").split(";").filter(Boolean).map((pair) => pair.split(/:(.*)/s).slice(0, 2).map((part) => part.trim())));
    } else {
      found[key] = value === undefined || (value === "" && key === "hidden") ? true : decoded(value);
    }
  }
  return found;
}

const html = readFileSync(0, "utf8");
const body = html.slice(html.indexOf(">", html.indexOf("<body")) + 1, html.lastIndexOf("</body>"));
const root = { tag: "body", attributes: {}, children: [] };
const open = [root];
let skipped;
for (const [token] of body.matchAll(/<!--[\s\S]*?-->|<!>|<\/?[a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>|[^<]+/g)) {
  const here = open.at(-1);
  if (token.startsWith("<!")) continue;
  if (token.startsWith("</")) {
    const tag = token.slice(2, -1).trim();
    if (skipped) skipped = tag === skipped ? undefined : skipped;
    else if (open.length > 1 && here.tag === tag) open.pop();
    continue;
  }
  if (skipped) continue;
  if (!token.startsWith("<")) {
    here.children.push(decoded(token));
    continue;
  }
  const [, tag, rest] = token.match(/^<([a-zA-Z][\w:-]*)([\s\S]*?)\/?>$/);
  if (tag === "script" || tag === "style" || tag === "template") {
    skipped = tag;
    continue;
  }
  const node = { tag, attributes: attributes(rest), children: [] };
  here.children.push(node);
  if (!VOID.has(tag) && !token.endsWith("/>")) open.push(node);
}
process.stdout.write(JSON.stringify(root.children));
