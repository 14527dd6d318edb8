import assert from "node:assert/strict";
import type { TlsOptions } from "node:tls";
import type { TlsRule } from "../../src/workflow/service_rules.ts";
import { type Certificates, hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { callOnce, failureOf, openCaller, unreachable } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { SHOP } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";
import { startOpenssl } from "../support/openssl_server.ts";
import { startTcp, startTlsFront } from "../support/raw_server.ts";

const SERVERS = {
  server: "DNS:localhost,IP:127.0.0.1",
  expired_server: "DNS:localhost,IP:127.0.0.1",
  named: "DNS:shop.example,DNS:www.example",
  addressed: "IP:10.0.0.1",
  client: "DNS:client",
  expired_client: "DNS:client",
};

/** A pair that doesn't fit: what the server shows and asks for, what Maestro shows and trusts. */
interface Refusal {
  readonly when: string;
  /** `foreign.NAME`: of the other authority. */
  readonly server: string;
  readonly host?: string;
  /** The server asks for a certificate from this authority. */
  readonly asks?: boolean;
  readonly client?: string;
  readonly ca?: string | null;
  /** What it is told as; `@`: the directory, `%`: of the other authority. Dates are `DATE`. */
  readonly reason: string;
}

const OTHER_NAME = '; set "tls.server_name" where it goes by another name';

const REFUSALS: readonly Refusal[] = [
  {
    when: "the server's certificate has expired",
    server: "expired_server",
    reason: "Maestro refuses its certificate: it expired on DATE; renew it at the server",
  },
  {
    when: "the server's certificate is from another authority",
    server: "foreign.server",
    reason: 'Maestro refuses its certificate: "@/ca.crt" does not hold the authority that signed ' +
      'it, CN=foreign; name the file of its authority as "tls.ca"',
  },
  {
    when: "the server's certificate is its own authority",
    server: "foreign.ca",
    reason: 'Maestro refuses its certificate: "@/ca.crt" does not hold it, and no authority ' +
      'signed it; name the certificate\'s own file as "tls.ca"',
  },
  {
    when: "the server's certificate is from another authority, and has expired",
    server: "foreign.expired_server",
    reason: "Maestro refuses its certificate: it expired on DATE; renew it at the server",
  },
  {
    when: "only the system's authorities are trusted",
    server: "server",
    ca: null,
    reason: "Maestro refuses its certificate: this system does not trust the authority that " +
      'signed it, CN=home; name the file of its authority as "tls.ca"',
  },
  {
    when: "the server's certificate is for other names",
    server: "named",
    reason: "Maestro refuses its certificate: it is not for the name localhost, but for " +
      `shop.example, www.example${OTHER_NAME}`,
  },
  {
    when: "the server's certificate is for another address",
    server: "addressed",
    host: "127.0.0.1",
    reason: "Maestro refuses its certificate: it is not for the address 127.0.0.1, but for " +
      `10.0.0.1${OTHER_NAME}`,
  },
  {
    when: "the server asks for a certificate",
    server: "server",
    asks: true,
    reason: 'it refuses callers without a certificate: give "tls.cert" and "tls.key"',
  },
  {
    when: "the server's authority did not sign the client's certificate",
    server: "server",
    asks: true,
    client: "foreign.client",
    // The TLS of the front ends the connection without an alert.
    reason: 'it refuses the certificate in "%/client.crt" (it closed the connection when it was ' +
      "shown it): is it meant for clients, and from an authority that the server trusts?",
  },
  {
    when: "the client's certificate has expired",
    server: "server",
    asks: true,
    client: "expired_client",
    reason: 'it refuses the certificate in "@/expired_client.crt", which expired on DATE: renew it',
  },
];

/** Two authorities, and what each signed. */
interface World {
  readonly home: Certificates;
  readonly foreign: Certificates;
}

function of({ home, foreign }: World, name: string): readonly [Certificates, string] {
  return name.startsWith("foreign.") ? [foreign, name.slice("foreign.".length)] : [home, name];
}

async function refusal(world: World, port: number, refusal: Refusal): Promise<void> {
  const { home, foreign } = world;
  const [from, name] = of(world, refusal.server);
  const options: TlsOptions = {
    cert: from.read(`${name}.crt`),
    key: from.read(`${name}.key`),
    ...(refusal.asks
      ? { ca: home.read("ca.crt"), requestCert: true, rejectUnauthorized: true }
      : {}),
  };
  await using front = await startTlsFront(port, options);
  await using caller = openCaller();
  const [by, client] = of(world, refusal.client ?? "");
  const tls: TlsRule = {
    ca: refusal.ca === undefined ? home.path("ca.crt") : refusal.ca,
    cert: refusal.client === undefined ? null : by.path(`${client}.crt`),
    key: refusal.client === undefined ? null : by.path(`${client}.key`),
    serverName: null,
  };
  const endpoint = `${refusal.host ?? "localhost"}:${front.port}`;
  const told = (message: string) => message.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "DATE");
  const message = `Cannot reach "shop" at ${endpoint}: ${refusal.reason}`
    .replace("@", home.directory).replace("%", foreign.directory);

  // A call, and the question for the schema: both say the same.
  const target = targetAt(endpoint, { tls, schema: SHOP });
  const failure = failureOf(await callOnce(caller, target, "Shop/Buy"));
  assert.deepEqual(
    { ...failure, message: told(failure.message) },
    { code: "UNAVAILABLE", message, outcome: "not_sent" },
    refusal.when,
  );
  const asked = await unreachable(caller.method(targetAt(endpoint, { tls }), "Shop/Buy"));
  assert.equal(told(asked.message), message, refusal.when);
}

Deno.test({
  name: "call() says which side of TLS refused the other, and why",
  ignore: !hasOpenssl,
  async fn(t) {
    await using home = await makeCertificates(SERVERS, "home");
    await using foreign = await makeCertificates(SERVERS, "foreign");
    await using server = await startServer({ scripts: {} });
    for (const one of REFUSALS) {
      await t.step(`when ${one.when}`, () => refusal({ home, foreign }, server.port, one));
    }
    await new Promise((resolve) => setTimeout(resolve, 1_300)); // grpc-js's own timers
  },
});

Deno.test({
  name: "call() says what a server says of the certificate that it refuses",
  ignore: !hasOpenssl,
  async fn() {
    await using home = await makeCertificates(SERVERS, "home");
    await using foreign = await makeCertificates(SERVERS, "foreign");
    const ca = home.path("ca.crt");
    const [cert, key] = [home.path("server.crt"), home.path("server.key")];
    await using server = await startOpenssl({ cert, key, ca });
    await using caller = openCaller({ lingers: 1_300 });
    const endpoint = `localhost:${server.port}`;
    const untrusted = foreign.path("client.crt");
    const expired = home.path("expired_client.crt");
    const cases: readonly (readonly [string | null, RegExp])[] = [
      [null, /: it refuses callers without a certificate: give "tls.cert" and "tls.key"$/],
      [
        untrusted,
        /: it refuses the certificate in ".*": it does not trust the authority that signed it, CN=foreign; use one from an authority that it trusts$/,
      ],
      [expired, /: it refuses the certificate in ".*", which expired on [\dTZ:-]+: renew it$/],
    ];
    for (const [cert, message] of cases) {
      const key = cert?.replace(/crt$/, "key") ?? null;
      const target = targetAt(endpoint, { tls: { ca, cert, key, serverName: null }, schema: SHOP });
      const failure = failureOf(await callOnce(caller, target, "Shop/Buy"));
      assert.match(failure.message, message);
      assert.deepEqual([failure.code, failure.outcome], ["UNAVAILABLE", "not_sent"]);
    }
  },
});

Deno.test({
  name: "call() knows a server that does not speak TLS",
  ignore: !hasOpenssl,
  async fn() {
    await using server = await startServer({ scripts: {} });
    await using caller = openCaller({ lingers: 1_300 });
    const tls = { ca: null, cert: null, key: null, serverName: null };
    const target = targetAt(server.endpoint, { tls, schema: SHOP });
    assert.deepEqual(failureOf(await callOnce(caller, target, "Shop/Buy")), {
      code: "UNAVAILABLE",
      message: `Cannot reach "shop" at ${server.endpoint}: ` +
        'it does not speak TLS: leave "tls" out, or use its TLS port',
      outcome: "not_sent",
    });
  },
});

Deno.test("call() takes a handshake that is too large for no other protocol", async () => {
  // A record with the beginning of a handshake message of 16 MiB.
  const start = new Uint8Array([22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]);
  await using server = await startTcp((socket) => socket.once("data", () => socket.write(start)));
  await using caller = openCaller({ lingers: 1_300 });
  const tls = { ca: null, cert: null, key: null, serverName: null };
  const target = targetAt(server.endpoint, { tls, schema: SHOP });
  assert.deepEqual(failureOf(await callOnce(caller, target, "Shop/Buy")), {
    code: "UNAVAILABLE",
    message: `Cannot reach "shop" at ${server.endpoint}: its TLS handshake is too large to be ` +
      "read: does it ask for client certificates of too many authorities?",
    outcome: "not_sent",
  });
});

Deno.test({
  name: "method() says that a key is not its certificate's",
  ignore: !hasOpenssl,
  async fn() {
    await using home = await makeCertificates({ client: "DNS:client", other: "DNS:other" });
    await using caller = openCaller();
    const [cert, key] = [home.path("client.crt"), home.path("other.key")];
    const target = targetAt("localhost:1", { tls: { ca: null, cert, key, serverName: null } });
    await assert.rejects(caller.method(target, "Shop/Buy"), {
      code: "USAGE",
      message:
        `Cannot use the tls files of "shop": the key in "${key}" is not the key of the certificate in "${cert}"`,
    });
  },
});

Deno.test("a server that is silent under TLS holds a call back no longer than its timeout", async () => {
  let connections = 0;
  await using silent = await startTcp(() => connections++);
  await using caller = openCaller({ lingers: 1_300 });
  const tls = { ca: null, cert: null, key: null, serverName: null };
  const target = targetAt(silent.endpoint, { tls, schema: SHOP });
  const failure = failureOf(await callOnce(caller, target, "Shop/Buy", {}, { timeout: 1_000 }));
  assert.deepEqual(failure, {
    code: "DEADLINE_EXCEEDED",
    message: `Cannot reach "shop" at ${silent.endpoint}: no connection within 1s`,
    outcome: "not_sent",
  });
  assert.ok(connections <= 1, "nobody probes where TLS is not known to be the reason");
});

Deno.test("many failing calls look at a server's TLS once", async () => {
  let connections = 0;
  await using closing = await startTcp((socket) => {
    connections++;
    socket.destroy();
  });
  await using caller = openCaller({ lingers: 1_300 });
  const tls = { ca: null, cert: null, key: null, serverName: null };
  const target = targetAt(closing.endpoint, { tls, schema: SHOP });
  const before = performance.now();
  const failures = await Promise.all(
    Array.from({ length: 100 }, () => callOnce(caller, target, "Shop/Buy").then(failureOf)),
  );
  const messages = new Set(failures.map(({ message }) => message));
  assert.deepEqual([...messages], [
    `Cannot reach "shop" at ${closing.endpoint}: it closed the connection at once: ` +
    "check that it is a gRPC server",
  ]);
  // The channel's own connections come at most every 80 ms.
  const own = 2 + (performance.now() - before) / 80;
  assert(connections <= 1 + own, `${connections} connections`);
});
