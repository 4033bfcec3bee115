// Looks into the cluster behind the portal, by its API and the kubeconfig that the server wrote.
import { readFileSync } from "node:fs";
import { request } from "node:https";

/** Where each kind that a lab is made of is listed, over all namespaces. */
const LISTS: Record<string, string> = {
  StatefulSet: "/apis/apps/v1/statefulsets",
  Job: "/apis/batch/v1/jobs",
  Pod: "/api/v1/pods",
  Service: "/api/v1/services",
  PersistentVolumeClaim: "/api/v1/persistentvolumeclaims",
  ServiceAccount: "/api/v1/serviceaccounts",
  NetworkPolicy: "/apis/networking.k8s.io/v1/networkpolicies",
  ResourceQuota: "/api/v1/resourcequotas",
  LimitRange: "/api/v1/limitranges",
  Namespace: "/api/v1/namespaces",
};

/** `Kind/name` of everything that Lectern made and that is there now. */
export async function objectsOfLectern(kubeconfig: string): Promise<string[]> {
  const found: string[] = [];
  for (const [kind, path] of Object.entries(LISTS)) {
    const list = await get(kubeconfig, `${path}?labelSelector=${encodeURIComponent("app.kubernetes.io/managed-by=lectern")}`);
    for (const item of list.items) found.push(`${kind}/${item.metadata.name}`);
  }
  return found;
}

async function get(kubeconfig: string, path: string): Promise<any> {
  const text = readFileSync(kubeconfig, "utf8");
  const value = (key: string) => new RegExp(`${key}: *"?([^"\\s]+)"?`).exec(text)?.[1] ?? "";
  const server = new URL(path, value("server"));
  const ca = Buffer.from(value("certificate-authority-data"), "base64");
  return new Promise((done, fail) => {
    const call = request(server, { ca, headers: { authorization: `Bearer ${value("token")}` } }, (answer) => {
      let body = "";
      answer.on("data", (part) => (body += part));
      answer.on("end", () => (answer.statusCode === 200 ? done(JSON.parse(body)) : fail(new Error(`${path}: ${answer.statusCode} ${body}`))));
    });
    call.on("error", fail);
    call.end();
  });
}
