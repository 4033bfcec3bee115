// Gives the API's description the ids of what a portal really holds, so that a test made from it reaches what they name:
//   PORTAL=http://127.0.0.1:3000 TOKEN=lct_… LOGIN=administrator SECOND_TOKEN=lct_… SECOND=manager node .ci/openapi-with-ids.mjs >openapi.json
// Every path parameter becomes a choice of a few ids that the token's owner may see, and one that names nothing. An administrator has every
// role meanwhile, by way of a second person, since nobody gives themselves a role that reads the audit record.
const { PORTAL, TOKEN, LOGIN, SECOND_TOKEN, SECOND } = process.env;
const ROLES = "teacher,manager,auditor,operator,administrator";
const NOTHING = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";
/** A few of each, so that a test that ends one thing has another. */
const EACH = 6;

/** Who has not every role reads some lists and not others. */
let hasAllRoles = false;

/** The answer; no items where the token's owner may not read. Anything else that is refused ends the script: ids would be missing. */
const ask = async (path, body, token = TOKEN) => {
  const post = body && { method: "POST", body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${PORTAL}/api/v1${path}`, { headers, ...post });
  if (answer.ok) return answer.json();
  if (!post && !hasAllRoles && answer.status === 403) return { items: [] };
  throw new Error(`${LOGIN}: ${post ? "POST" : "GET"} ${path} was answered ${answer.status}: ${await answer.text()}`);
};
const ids = async (path, field = "id") => [...new Set((await ask(path)).items.map((item) => item[field]))];

const { items: found } = await ask(`/people?text=${LOGIN}`);
const own = found.find((person) => person.login === LOGIN)?.id;
if (own) {
  // Who may change people's access gets every role, and makes what a young portal lacks.
  const { items: others } = await ask(`/people?text=${SECOND}`);
  const second = others.find((person) => person.login === SECOND);
  const access = { roles: second.roles, courses: second.courses.map((course) => course.id) };
  await ask(`/people/${second.id}/access`, { ...access, roles: [...second.roles, "administrator"] });
  await ask(`/people/${own}/access`, { roles: ROLES, courses: [] }, SECOND_TOKEN);
  hasAllRoles = true;
  await ask(`/people/${second.id}/access`, access);
  const courses = (await ids("/courses")).slice(0, EACH).join(",");
  await ask(`/people/${own}/access`, { roles: ROLES, courses });
  for (let number = 0; number < EACH; number += 1) {
    await ask("/announcements", { zh: `维护 ${number}`, en: `Maintenance ${number}`, level: "info", to: "2099-01-01T08:00" });
    await ask("/imports", { kind: "people", list: `账号,姓名\nimported${number},示范教师\n` });
    await ask("/audit/searches", { name: `kept ${number}` });
  }
  await ask("/discounts", { percent: "10", from: "2099-01-01", until: "2099-12-31", reason: "pilot" });
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
  for (const operation of Object.values(item)) {
    // An answer that goes on until somebody leaves is not for a test that waits for its end.
    if (operation.parameters) operation.parameters = operation.parameters.filter((parameter) => parameter.name !== "follow");
  }
  for (const parameter of Object.values(item).flatMap((operation) => operation.parameters ?? [])) {
    if (parameter.in !== "path") continue;
    const choices = parameter.name === "user" ? people : (known[prefix] ?? []);
    parameter.schema = { type: "string", enum: [...new Set([...choices.slice(0, EACH), NOTHING])] };
    delete parameter.example;
  }
}
console.log(JSON.stringify(document));
