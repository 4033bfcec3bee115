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

/** Waits for a pod of Lectern's and steers it with annotations, as faults are made in the simulated cluster. */
export async function steerPod(kubeconfig: string, annotations: Record<string, string>): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 50))) {
    const pods = await call(kubeconfig, "GET", `${LISTS.Pod}?labelSelector=${encodeURIComponent("app.kubernetes.io/managed-by=lectern")}`);
    if (pods.items.length === 0) continue;
    for (const { metadata } of pods.items) {
      await call(kubeconfig, "PATCH", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, { metadata: { annotations } });
    }
    return;
  }
  throw new Error("no pod appeared");
}

async function get(kubeconfig: string, path: string): Promise<any> {
  return call(kubeconfig, "GET", path);
}

async function call(kubeconfig: string, method: string, path: string, body?: unknown): Promise<any> {
  const text = readFileSync(kubeconfig, "utf8");
  const value = (key: string) => new RegExp(`${key}: *"?([^"\\s]+)"?`).exec(text)?.[1] ?? "";
  const server = new URL(path, value("server"));
  const ca = Buffer.from(value("certificate-authority-data"), "base64");
  const headers = { authorization: `Bearer ${value("token")}`, ...(body ? { "content-type": "application/merge-patch+json" } : {}) };
  return new Promise((done, fail) => {
    const sent = request(server, { ca, method, headers }, (answer) => {
      let got = "";
      answer.on("data", (part) => (got += part));
      answer.on("end", () => (answer.statusCode === 200 ? done(JSON.parse(got)) : fail(new Error(`${method} ${path}: ${answer.statusCode} ${got}`))));
    });
    sent.on("error", fail);
    sent.end(body ? JSON.stringify(body) : undefined);
  });
}
