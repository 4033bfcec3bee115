// An identity provider of the test's own: a real implementation of OpenID Connect on a free port of this machine. Whoever comes is
// the person that the test names, without being asked.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { type IncomingMessage, type Server as HttpServer, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-expect-error: it comes without types
import OidcProvider from "oidc-provider";

/** What the provider says of somebody; `sub` stays when the rest changes. */
export interface Claims {
  sub: string;
  preferred_username?: string;
  name?: string;
  email?: string;
}

export class IdentityProvider {
  /** Who comes next; nobody declines. */
  person: Claims | null = null;
  private readonly people = new Map<string, Claims>();
  private oidc: any;

  private constructor(
    private readonly http: HttpServer,
    readonly issuer: string,
  ) {}

  /** Listens at once, so that its issuer is known; it answers after `serve`. */
  static async start(): Promise<IdentityProvider> {
    const http = createServer();
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    const provider = new IdentityProvider(http, `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    http.on("request", (request, response) => void provider.answer(request, response));
    return provider;
  }

  /** Knows the portal from now on, and signs by a new key each time. */
  serve(portal: string, secret: string): void {
    const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
    this.oidc = new OidcProvider(this.issuer, {
      clients: [{ client_id: "lectern", client_secret: secret, redirect_uris: [`${portal}/sign-in/oidc/callback`] }],
      jwks: { keys: [{ ...key, kid: randomUUID(), use: "sig", alg: "RS256" }] },
      cookies: { keys: ["test"] },
      pkce: { required: () => true },
      claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
      findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => this.people.get(sub) }),
    });
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((done) => this.http.close(done));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith("/interaction/")) await this.interact(request, response);
    else await this.oidc.callback()(request, response);
  }

  /** What a person would click: who they are, and that the portal may know. */
  private async interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await this.oidc.interactionDetails(request, response);
    const finish = (result: unknown) => this.oidc.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
    if (this.person === null) return finish({ error: "access_denied", error_description: "The person said no." });
    if (prompt.name === "login") {
      this.people.set(this.person.sub, this.person);
      return finish({ login: { accountId: this.person.sub } });
    }
    const grant = new this.oidc.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope("openid profile email");
    return finish({ consent: { grantId: await grant.save() } });
  }
}
