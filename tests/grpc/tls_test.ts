import assert from "node:assert/strict";
import type { Caller } from "../../src/engine/doors.ts";
import type { TlsRule } from "../../src/workflow/service_rules.ts";
import { hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { callOnce, openCaller, outputOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { startTlsFront } from "../support/raw_server.ts";
import { tempFiles } from "../support/temp_files.ts";

const scripts = { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) };

function over(tls: Partial<TlsRule>, endpoint: string) {
  const rule = { ca: null, cert: null, key: null, serverName: null, ...tls };
  return targetAt(endpoint, { tls: rule, attemptTimeout: 5_000 });
}

async function works(caller: Caller, target: ReturnType<typeof over>): Promise<void> {
  assert.deepEqual(outputOf(await callOnce(caller, target, "Shop/Buy")), { order_id: "o1" });
}

Deno.test({
  name: "call() trusts an own authority, for a name, for an address, and for server_name",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({
      name: "DNS:localhost",
      address: "IP:127.0.0.1",
    });
    await using server = await startServer({ scripts });
    await using caller = openCaller({ lingers: 1_300 });
    const ca = certificates.path("ca.crt");
    const front = (name: string) =>
      startTlsFront(server.port, {
        cert: certificates.read(`${name}.crt`),
        key: certificates.read(`${name}.key`),
      });
    await using name = await front("name");
    await using address = await front("address");

    await works(caller, over({ ca }, `localhost:${name.port}`));
    await works(caller, over({ ca }, address.endpoint));
    await works(caller, over({ ca, serverName: "localhost" }, name.endpoint));
  },
});

Deno.test({
  name: "call() shows its certificate to a server that asks for one",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({
      server: "DNS:localhost,IP:127.0.0.1",
      client: "DNS:client",
    });
    await using server = await startServer({ scripts });
    await using front = await startTlsFront(server.port, {
      cert: certificates.read("server.crt"),
      key: certificates.read("server.key"),
      ca: certificates.read("ca.crt"),
      requestCert: true,
      rejectUnauthorized: true,
    });
    await using caller = openCaller({ lingers: 1_300 });
    const ca = certificates.path("ca.crt");
    const cert = certificates.path("client.crt");
    const key = certificates.path("client.key");
    await works(caller, over({ ca, cert, key }, `localhost:${front.port}`));
    await works(caller, over({ ca, cert, key }, front.endpoint));
  },
});

Deno.test({
  name: "call() reads replaced certificate files without being told",
  ignore: !hasOpenssl,
  async fn() {
    await using old = await makeCertificates({ server: "IP:127.0.0.1" });
    await using fresh = await makeCertificates({ server: "IP:127.0.0.1" });
    await using server = await startServer({ scripts });
    const start = (from: typeof old) =>
      startTlsFront(server.port, { cert: from.read("server.crt"), key: from.read("server.key") });
    await using before = await start(old);
    await using caller = openCaller({ lingers: 1_300 });
    const ca = old.path("ca.crt");
    const method = await caller.method(over({ ca }, before.endpoint), "Shop/Buy");
    const call = () =>
      method.call(method.encode({}), {
        metadata: {},
        timeout: 1_000,
        maxMessages: 10_000,
        signal: new AbortController().signal,
      });
    outputOf(await call());
    // The authority of the file no longer is the one that signed the server's certificate.
    await Deno.writeTextFile(ca, fresh.read("ca.crt"));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal((await call()).ok, false);
    await Deno.writeTextFile(ca, "");
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const unreadable = await call();
    assert(!unreadable.ok);
    assert.deepEqual(unreadable.failure, {
      code: "UNAVAILABLE",
      message: `Cannot use the file "${ca}" that "shop" names as "tls.ca": ` +
        "it holds no certificate in PEM form",
      outcome: "not_sent",
    });
  },
});

Deno.test({
  name: "call() serves on through a rotation that is caught between two files",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({
      server: "IP:127.0.0.1",
      client: "DNS:client",
      next: "DNS:client",
    });
    await using server = await startServer({ scripts });
    await using front = await startTlsFront(server.port, {
      cert: certificates.read("server.crt"),
      key: certificates.read("server.key"),
      ca: certificates.read("ca.crt"),
      requestCert: true,
      rejectUnauthorized: true,
    });
    await using caller = openCaller({ lingers: 1_300 });
    const [ca, cert, key] = ["ca.crt", "client.crt", "client.key"].map(certificates.path);
    const target = over({ ca: ca!, cert: cert!, key: key! }, front.endpoint);
    await works(caller, target);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await Deno.writeTextFile(cert!, certificates.read("next.crt"));
    const during = works(caller, target);
    // Time for it to find a key that is not the certificate's.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Deno.writeTextFile(key!, certificates.read("next.key"));
    await during;
    await works(caller, target);
    assert.equal(front.accepted, 2, "the new pair is in use");
  },
});

Deno.test("method() says which TLS file is missing, or is none", async () => {
  await using files = await tempFiles({ "text.txt": "hello" });
  await using caller = openCaller();
  const text = files.path("text.txt");
  const cases: readonly (readonly [Partial<TlsRule>, string])[] = [
    [
      { ca: "/no/ca.pem" },
      'Cannot read the file "/no/ca.pem" that "shop" names as "tls.ca": there is no such file',
    ],
    [
      { ca: text },
      `Cannot use the file "${text}" that "shop" names as "tls.ca": it holds no certificate in PEM form`,
    ],
    [
      { cert: text, key: text },
      `Cannot use the file "${text}" that "shop" names as "tls.cert": it holds no certificate in PEM form`,
    ],
    [
      { cert: text },
      'Cannot use the tls of "shop": it has "cert" and no "key"; mutual TLS needs both',
    ],
  ];
  for (const [tls, message] of cases) {
    const found = caller.method(over(tls, "localhost:1"), "Shop/Buy");
    await assert.rejects(found, { name: "MaestroError", code: "USAGE", message });
  }
});
