// A portal and its labs by https under one domain, as a college has them. Node decrypts in front of the server. Browsers take every name below
// `localhost` for this machine, and any certificate on a page that is opened with `ignoreHTTPSErrors`.
import { execFileSync } from "node:child_process";
import { type AddressInfo, connect } from "node:net";
import { type Server as TlsServer, createServer } from "node:tls";
import { Server } from "./server.ts";

/** Starts a server behind https, and gives what ends both. The portal and the labs are one site to browsers: `campus.localhost`. */
export async function startCampus(flags: string[]): Promise<{ server: Server; stop: () => Promise<void> }> {
  const pem = certificate();
  const [portal, labs] = [await Front.listen(pem), await Front.listen(pem)];
  const site = `https://lectern.campus.localhost:${portal.port}`;
  const addresses = ["--public-url", site, "--labs-url", `https://{lab}.labs.campus.localhost:${labs.port}`];
  const server = await Server.start([...flags, ...addresses], site);
  portal.leadsTo = server.port;
  labs.leadsTo = server.labsPort;
  const stop = async () => {
    await server.stop();
    portal.close();
    labs.close();
  };
  return { server, stop };
}

/** A port that decrypts and passes on. */
class Front {
  leadsTo = 0;

  private constructor(private readonly tls: TlsServer) {}

  static async listen(pem: string): Promise<Front> {
    const tls = createServer({ key: pem, cert: pem });
    const front = new Front(tls);
    tls.on("secureConnection", (outside) => {
      const inside = connect(front.leadsTo, "127.0.0.1");
      outside.pipe(inside).pipe(outside);
      outside.on("error", () => inside.destroy()).on("close", () => inside.destroy());
      inside.on("error", () => outside.destroy()).on("close", () => outside.destroy());
    });
    // A browser that gives a handshake up is no error of the test.
    tls.on("tlsClientError", () => {});
    await new Promise<void>((done) => tls.listen(0, "127.0.0.1", done));
    return front;
  }

  get port(): number {
    return (this.tls.address() as AddressInfo).port;
  }

  close(): void {
    this.tls.close();
  }
}

/** A key and a certificate that it signed itself, in one text. */
function certificate(): string {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=campus.localhost -keyout - -out -".split(" ");
  return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
