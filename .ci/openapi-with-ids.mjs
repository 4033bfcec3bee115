// Gives the API's description the ids of what a portal really holds, so that a test made from it reaches what they name:
//   PORTAL=http://127.0.0.1:3000 TOKEN=lct_… LOGIN=administrator node .ci/openapi-with-ids.mjs >openapi.json
// Every path parameter becomes a choice of a few ids that the token's owner may see, and one that names nothing.
const { PORTAL, TOKEN, LOGIN } = process.env;
const NOTHING = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";
/** A few of each, so that a test that ends one thing has another. */
const EACH = 6;

const ask = async (path, body) => {
  const post = body && { method: "POST", body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(`${PORTAL}/api/v1${path}`, { headers, ...post });
  return answer.ok ? answer.json() : { items: [] };
};
const ids = async (path, field = "id") => [...new Set((await ask(path)).items.map((item) => item[field]))];

const { items: found } = await ask(`/people?text=${LOGIN}`);
const own = found.find((person) => person.login === LOGIN)?.id;
if (own) {
  // Who may change people's access gets every role, and makes what a young portal lacks. What they may not do is refused.
  const courses = (await ids("/courses")).slice(0, EACH).join(",");
  await ask(`/people/${own}/access`, { roles: "teacher,manager,auditor,operator,administrator", courses });
  for (let number = 0; number < EACH; number += 1) {
    await ask("/announcements", { zh: `维护 ${number}`, en: `Maintenance ${number}`, level: "info", to: "2099-01-01T08:00" });
    await ask("/imports", { kind: "people", list: `账号,姓名\nimported${number},示范教师\n` });
    await ask("/audit/searches", { name: `kept ${number}` });
  }
  await ask("/discounts", { percent: "10", reason: "pilot" });
}
const people = (await ids("/people")).filter((id) => id !== own);
const orders = [...(await ids("/orders?state=pending_approval")).slice(0, EACH / 2), ...(await ids("/orders"))];
const labs = [...(await ids("/labs?state=running")).slice(0, EACH / 2), ...(await ids("/labs"))];

/** What stands in the braces of paths that begin so; the longest that fits counts. */
const known = {
  "/orders": orders,
  "/labs": labs,
  "/courses": await ids("/courses"),
  "/people": people,
  "/announcements": await ids("/announcements"),
  "/imports": await ids("/imports"),
  "/discounts": await ids("/discounts"),
  "/audit/searches": await ids("/audit/searches"),
  "/notifications": await ids("/notifications"),
  "/tenants": await ids("/tenants"),
  "/offerings": await ids("/offerings", "slug"),
  "/nodes": await ids("/nodes", "name"),
  "/bills": await ids("/bills"),
};

const document = await (await fetch(`${PORTAL}/api/v1/openapi.json`)).json();
for (const [path, item] of Object.entries(document.paths)) {
  const below = path.replace("/api/v1", "");
  const prefix = Object.keys(known).filter((each) => below.startsWith(each)).sort((a, b) => b.length - a.length)[0];
  for (const parameter of Object.values(item).flatMap((operation) => operation.parameters ?? [])) {
    if (parameter.in !== "path") continue;
    const choices = parameter.name === "user" ? people : (known[prefix] ?? []);
    parameter.schema = { type: "string", enum: [...new Set([...choices.slice(0, EACH), NOTHING])] };
    delete parameter.example;
  }
}
console.log(JSON.stringify(document));
