// The application of a hostile lab. Its page does nothing by itself: the tests run their attempts as the page's own script.
// Other paths answer with hostile headers, or list all requests that arrived.
import { createServer } from "node:http";

/** @type {{ method: string, url: string, headers: object, body: string }[]} */
const arrived = [];

/** Says which requests it sees, and lets all pass. */
const WORKER = `
const seen = [];
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => seen.push(event.request.method + " " + event.request.url));
self.addEventListener("message", (event) => event.ports[0].postMessage(seen));
`;

/** The parents of the host, for which a page may set cookies too. */
function parents(host) {
  const parts = host.split(":")[0].split(".");
  return parts.slice(1).map((_, at) => parts.slice(at + 1).join("."));
}

function cookies(host) {
  const ours = ["lectern", "__Host-lectern", "lectern-lab", "__Host-lectern-lab", "lectern-device", "__Host-lectern-device"];
  const here = ours.map((name) => `${name}=evil; Path=/${name.startsWith("__") ? "; Secure" : ""}`);
  const wide = parents(host).flatMap((domain) => [...ours, "wide"].map((name) => `${name}=evil; Path=/; Domain=${domain}`));
  return ["own=1; Path=/", "=lectern-lab=evil; Path=/", ...here, ...wide];
}

const server = createServer((request, response) => {
  const { method, url, headers } = request;
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (url === "/arrived") return response.end(JSON.stringify(arrived));
    arrived.push({ method, url, headers, body });
    if (url.endsWith("/worker.js")) {
      response.writeHead(200, { "content-type": "text/javascript", "cache-control": "max-age=3600", "service-worker-allowed": "/" });
      return response.end(WORKER);
    }
    if (url === "/cookies") response.setHeader("set-cookie", cookies(headers.host));
    response.setHeader("access-control-allow-origin", headers.origin ?? "*");
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><html lang=en><title>Hostile</title><h1>Hostile lab</h1></html>");
  });
});
server.on("upgrade", (request, socket) => {
  arrived.push({ method: "UPGRADE", url: request.url, headers: request.headers, body: "" });
  socket.destroy();
});
server.listen(Number(process.env.PORT), "127.0.0.1");
