// The portal's API, as a person's program calls it.
import type { Server } from "./server.ts";

/** A call of the API. Errors: any other answer than a good one, with its text. */
export type Call = (method: string, path: string, body?: unknown) => Promise<any>;

/** Calls the API by a new token of this person. */
export function rest(server: Server, login: string, scopes: string[]): Call {
  const token = server.command("token", "create", "--user", login, ...scopes.flatMap((scope) => ["--scope", scope])).trim();
  return async (method, path, body) => {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        "idempotency-key": crypto.randomUUID(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
}
