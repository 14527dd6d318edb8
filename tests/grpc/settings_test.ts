import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import { MaestroError } from "../../src/errors.ts";
import { parseEndpoint } from "../../src/grpc/endpoint.ts";
import { toMetadata } from "../../src/grpc/metadata.ts";
import { callOnce, failureOf, openCaller, outputOf } from "../support/grpc_call.ts";
import { startServer } from "../support/grpc_server.ts";
import { SHOP } from "../support/grpc_shop.ts";
import { targetAt } from "../support/grpc_target.ts";

const scripts = { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) };

Deno.test("parseEndpoint() takes gRPC's forms, and finds the address in them", () => {
  const cases: readonly (readonly [string, string | null, string | null])[] = [
    ["localhost:50051", null, "localhost"],
    ["auth-service.prod.svc:50051", null, "auth-service.prod.svc"],
    ["127.0.0.1:50051", "127.0.0.1", "127.0.0.1"],
    ["[::1]:50051", "::1", "::1"],
    ["dns:///payments:50051", null, "payments"],
    ["dns:payments:50051", null, "payments"],
    ["dns://8.8.8.8/payments:50051", null, "payments"],
    ["ipv4:10.0.0.1:50051,10.0.0.2:50052", "10.0.0.1", "10.0.0.1"],
    ["ipv6:[::1]:50051,[::2]:50052", "::1", "::1"],
    ["unix:/run/app.sock", null, null],
    ["unix:///run/app.sock", null, null],
  ];
  for (const [endpoint, ip, host] of cases) {
    const address = host === null ? null : { host, port: 50051 };
    assert.deepEqual(parseEndpoint("auth", endpoint), { target: endpoint, ip, address });
  }
});

Deno.test("parseEndpoint() says how to mend an endpoint", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["localhost", 'give a port, such as "localhost:50051"'],
    ["http://localhost:50051", 'write it without the scheme, such as "localhost:50051"'],
    [
      "https://auth.example.com:443/v1",
      'write it without the scheme, such as "auth.example.com:443" and set "tls: true"',
    ],
    ["tcp://localhost:50051", 'an endpoint is "host:port", "dns:///…", "ipv4:…" or "unix:/path"'],
    ["localhost:99999", "99999 is no port"],
    ["localhost:port", '"localhost:port" is not "host:port"'],
    ["", '"" is not "host:port"'],
    ["unix:", 'name the socket, such as "unix:/run/app.sock"'],
    ["ipv4:10.0.0.1:1,10.0.0.2", 'give a port, such as "10.0.0.2:50051"'],
  ];
  for (const [endpoint, advice] of cases) {
    assert.throws(() => parseEndpoint("auth", endpoint), {
      code: "USAGE",
      message: `Cannot use "${endpoint}" as the endpoint of "auth": ${advice}`,
    });
  }
});

Deno.test("call() sends metadata, and base64 as binary", async () => {
  await using server = await startServer({ scripts });
  await using caller = openCaller();
  await callOnce(caller, targetAt(server.endpoint), "Shop/Buy", {}, {
    metadata: { "idempotency-key": "run/step/action", "X-Tenant": "acme", "trace-bin": "AP8=" },
  });
  const { metadata } = server.calls[0] ?? assert.fail();
  assert.equal(metadata["idempotency-key"], "run/step/action");
  assert.equal(metadata["x-tenant"], "acme");
  assert.equal(metadata["trace-bin"], "AP8=");
});

Deno.test("toMetadata() refuses what gRPC can't carry, and does not show the value", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["bad key", "x", "a key holds only letters, digits, '_', '-' and '.'"],
    [":path", "x", "a key holds only letters, digits, '_', '-' and '.'"],
    ["grpc-timeout", "x", "keys that begin with 'grpc-' are gRPC's own"],
    ["Connection", "close", "it is about the connection, and HTTP/2 forbids it"],
    ["content-length", "1", "it is about the connection, and HTTP/2 forbids it"],
    ["trace-bin", "sécret", "the value of a '-bin' key must be base64"],
    [
      "authorization",
      "sécret",
      "its value holds characters other than printable ASCII; use a '-bin' key with base64",
    ],
    [
      "authorization",
      "sec\nret",
      "its value holds characters other than printable ASCII; use a '-bin' key with base64",
    ],
  ];
  for (const [key, value, reason] of cases) {
    assert.throws(() => toMetadata(grpc, { [key]: value }), (error) => {
      assert(error instanceof MaestroError);
      assert.equal(error.code, "INVALID_REQUEST");
      assert.equal(error.message, `Cannot send the metadata "${key}": ${reason}`);
      return true;
    });
  }
});

Deno.test("call() does not send what has metadata that gRPC can't carry", async () => {
  await using server = await startServer({ scripts });
  await using caller = openCaller();
  const metadata = { "x-name": "Ærø" };
  const answer = await callOnce(caller, targetAt(server.endpoint), "Shop/Buy", {}, { metadata });
  const { code, outcome } = failureOf(answer);
  assert.deepEqual({ code, outcome }, { code: "INVALID_REQUEST", outcome: "not_sent" });
  assert.equal(server.calls.length, 0);
});

Deno.test("call() goes by no proxy, whatever the environment says", async () => {
  await using server = await startServer({ scripts });
  const before = Deno.env.get("http_proxy");
  Deno.env.set("http_proxy", "http://127.0.0.1:1");
  try {
    await using caller = openCaller();
    outputOf(await callOnce(caller, targetAt(`localhost:${server.port}`), "Shop/Buy"));
  } finally {
    if (before === undefined) Deno.env.delete("http_proxy");
    else Deno.env.set("http_proxy", before);
  }
});

Deno.test("call() holds answers to max_message_size", async () => {
  await using server = await startServer({
    scripts: { "acme.shop.v1.Shop/Buy": () => ({ order_id: "x".repeat(5_000) }) },
  });
  await using caller = openCaller();
  const small = targetAt(server.endpoint, { schema: SHOP, maxMessageSize: 4 * 1024 });
  assert.deepEqual(failureOf(await callOnce(caller, small, "Shop/Buy")), {
    code: "RESOURCE_EXHAUSTED",
    local: true,
    message: `"shop" at ${server.endpoint} answered with 5003 bytes, ` +
      'more than its "max_message_size" of 4KiB',
    outcome: "unknown",
  });
});

Deno.test("method() names max_message_size where a server's description of itself is over it", async () => {
  await using server = await startServer({ scripts });
  await using caller = openCaller();
  const target = targetAt(server.endpoint, { maxMessageSize: 1024 });
  await assert.rejects(caller.method(target, "Shop/Buy"), {
    code: "SCHEMA_UNAVAILABLE",
    message:
      /answered with \d+ bytes, more than its "max_message_size" of 1KiB; raise it, or give "proto"/,
  });
});

Deno.test("close() waits for the calls in flight, and takes no more", async () => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": async () => {
        started.resolve();
        await finish.promise;
        return { order_id: "o1" };
      },
    },
  });
  const caller = openCaller();
  const target = targetAt(server.endpoint);
  const answer = callOnce(caller, target, "Shop/Buy");
  await started.promise;
  const closed = caller.close();
  finish.resolve();
  assert.deepEqual(outputOf(await answer), { order_id: "o1" });
  await closed;
  await assert.rejects(caller.method(target, "Shop/Buy"), { code: "ENGINE_CLOSED" });
});

Deno.test("close() cancels calls that take too long to end", async () => {
  const started = Promise.withResolvers<void>();
  await using server = await startServer({
    scripts: {
      "acme.shop.v1.Shop/Buy": () => {
        started.resolve();
        return new Promise(() => {});
      },
    },
  });
  const caller = openCaller();
  const answer = callOnce(caller, targetAt(server.endpoint), "Shop/Buy", {}, { timeout: 30_000 });
  await started.promise;
  await caller.close();
  assert.equal(failureOf(await answer).code, "CANCELLED", "long before its deadline");
});

Deno.test("one caller makes many calls at a time over one connection", async () => {
  await using server = await startServer({ scripts });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const answers = await Promise.all(
    Array.from({ length: 500 }, () => callOnce(caller, target, "Shop/Buy")),
  );
  assert(answers.every((answer) => answer.ok));
});
