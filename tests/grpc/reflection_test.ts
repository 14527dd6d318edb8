import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { ReflectionService } from "npm:@grpc/reflection@1.0.4";
import { loadSync } from "npm:@grpc/proto-loader@0.8.1";
import { MaestroError } from "../../src/errors.ts";
import { callOnce, openCaller, outputOf, unreachable } from "../support/grpc_call.ts";
import { PROTOS, startServer } from "../support/grpc_server.ts";
import { targetAt } from "../support/grpc_target.ts";
import { answerGrpc, frame, startHttp2, startTcp } from "../support/raw_server.ts";

const buy = { "acme.shop.v1.Shop/Buy": () => ({ order_id: "o1" }) };

Deno.test("method() asks a server by v1, by v1alpha, and for each import by name", async () => {
  for (const versions of [["v1"], ["v1alpha"], ["v1", "v1alpha"]] as const) {
    for (const ownFileOnly of [false, true]) {
      await using server = await startServer({
        scripts: buy,
        reflection: { versions, ownFileOnly },
      });
      await using caller = openCaller();
      const answer = await callOnce(caller, targetAt(server.endpoint), "Shop/Buy");
      assert.deepEqual(outputOf(answer), { order_id: "o1" });
    }
  }
});

Deno.test("method() repairs the descriptors that Node's reflection serves", async () => {
  const definition = loadSync("acme/shop.proto", { includeDirs: [PROTOS], keepCase: true });
  const server = new grpc.Server();
  new ReflectionService(definition).addToServer(server);
  const echo = definition["acme.shop.v1.Shop"];
  assert(echo !== undefined && !("format" in echo));
  server.addService({ Echo: echo.Echo } as grpc.ServiceDefinition, {
    Echo: (
      call: grpc.ServerUnaryCall<unknown, unknown>,
      reply: grpc.sendUnaryData<unknown>,
    ) => reply(null, call.request),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error === null ? resolve(port) : reject(error),
    )
  );
  try {
    await using caller = openCaller();
    const target = targetAt(`127.0.0.1:${port}`);
    const sent = {
      an_int64: 9007199254740993n,
      note: "",
      at: "2026-01-31T12:00:00Z",
      counts: { a: 1 },
      by_number: { "5": { units: 2n } },
      // Node names the entry of this map as its values' type.
      money: { a: { units: 3n } },
      colors: ["COLOR_RED"],
      inner: { price: { nanos: 1 } },
      maybe_number: 9007199254740993n,
      extra: { a: [1, "b"] },
      cash: { units: 9n },
    };
    const output = outputOf(await callOnce(caller, target, "Echo", sent));
    const money = { currency: "", nanos: 0 };
    assert(typeof output === "object" && output !== null && !Array.isArray(output));
    const { an_int64, note, at, counts, by_number, money: map, maybe_number, extra, cash } =
      output as Record<string, unknown>;
    assert.deepEqual({ an_int64, note, at, counts, by_number, map, maybe_number, extra, cash }, {
      an_int64: "9007199254740993",
      note: "",
      at: "2026-01-31T12:00:00Z",
      counts: { a: "1" },
      by_number: { "5": { ...money, units: "2" } },
      map: { a: { ...money, units: "3" } },
      maybe_number: "9007199254740993",
      extra: { a: [1, "b"] },
      cash: { ...money, units: "9" },
    });
    // A field with presence that was not sent is not there.
    assert(!("note" in (outputOf(await callOnce(caller, target, "Echo")) as object)));
  } finally {
    server.forceShutdown();
  }
});

Deno.test("method() asks with the service's own metadata, by either version", async () => {
  for (const version of ["v1", "v1alpha"] as const) {
    const seen: Readonly<Record<string, unknown>>[] = [];
    await using server = await startServer({
      scripts: buy,
      reflection: {
        versions: [version],
        authorization: "Bearer t",
        onStream: (metadata) => void seen.push(metadata),
      },
    });
    await using caller = openCaller();
    const target = targetAt(server.endpoint);
    await assert.rejects(caller.method(target, "Echo"), {
      code: "SCHEMA_UNAVAILABLE",
      message: /for its schema: UNAUTHENTICATED: Who are you\?; /,
    });
    const metadata = () => Promise.resolve({ authorization: "Bearer t", "x-bin": "AP8=" });
    await caller.method({ ...target, metadata }, "Echo");
    assert.deepEqual(seen.at(-1)?.["x-bin"], Buffer.from([0, 255]));
  }
});

Deno.test("method() says why the service's own metadata can't be sent", async () => {
  await using server = await startServer({ scripts: buy });
  await using caller = openCaller();
  const missing = new MaestroError("INPUT_INVALID", "The workflow needs the secret");
  const cases = [
    [() => Promise.reject(missing), missing],
    [() => Promise.resolve({ a: "\n" }), { code: "INVALID_REQUEST", message: /"a"/ }],
  ] as const;
  for (const [metadata, error] of cases) {
    const target = { ...targetAt(server.endpoint), metadata };
    await assert.rejects(caller.method(target, "Echo"), error);
  }
});

Deno.test("method() shares one conversation among those who ask at the same time", async () => {
  let conversations = 0;
  await using server = await startServer({
    scripts: buy,
    reflection: { onStream: () => conversations++ },
  });
  await using caller = openCaller();
  const target = targetAt(server.endpoint);
  const methods = await Promise.all(
    ["Shop/Buy", "Echo", "Shop/Buy"].map((name) => caller.method(target, name)),
  );
  assert.equal(methods[0], methods[2]);
  await caller.method(target, "Wholesale/Buy");
  assert.equal(conversations, 1);
});

Deno.test("method() tells a server without reflection from one that refuses", async () => {
  const cases = [
    [
      "none",
      /^Cannot ask "shop" at 127\.0\.0\.1:\d+ for its schema: it has no server reflection; give "proto" or "descriptor_set" for it, or turn reflection on in the server$/,
    ],
    [
      { refuse: { code: grpc.status.PERMISSION_DENIED, details: "no" } },
      /^Cannot ask "shop" at .* for its schema: PERMISSION_DENIED: no; give "proto"/,
    ],
  ] as const;
  for (const [reflection, message] of cases) {
    await using server = await startServer({ scripts: buy, reflection });
    await using caller = openCaller();
    await assert.rejects(caller.method(targetAt(server.endpoint), "Shop/Buy"), {
      name: "MaestroError",
      code: "SCHEMA_UNAVAILABLE",
      message,
    });
  }
});

Deno.test("method() throws Unreachable where the server can't be asked, and asks again", async () => {
  await using caller = openCaller({ lingers: 1_300 });
  await using gone = await startTcp(() => {});
  const { endpoint } = gone;
  await gone[Symbol.asyncDispose]();
  const target = targetAt(endpoint);
  assert.deepEqual(await unreachable(caller.method(target, "Echo")), {
    code: "UNAVAILABLE",
    message: `Cannot reach "shop" at ${endpoint}: connection refused`,
    outcome: "not_sent",
  });
  // A failure is not kept, and the channel soon tries to connect again.
  await using _server = await startServer({ scripts: buy, address: endpoint });
  for (let tries = 0;; tries++) {
    const found = await caller.method(target, "Echo").catch(() => undefined);
    if (found !== undefined) break;
    assert(tries < 50);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

Deno.test("method() gives a silent server no longer than attempt_timeout", async () => {
  await using silent = await startTcp(() => {});
  await using deaf = await startServer({ scripts: buy, reflection: { silent: true } });
  await using caller = openCaller({ lingers: 1_300 });
  const cases = [
    [silent, `Cannot reach "shop" at ${silent.endpoint}: no connection within 200ms`],
    [deaf, `"shop" at ${deaf.endpoint} gave no answer within 200ms`],
  ] as const;
  for (const [{ endpoint }, message] of cases) {
    const target = targetAt(endpoint, { attemptTimeout: 200 });
    assert.deepEqual(await unreachable(caller.method(target, "Echo")), {
      code: "DEADLINE_EXCEEDED",
      message,
      outcome: "not_sent",
    });
  }
});

Deno.test("method() stops waiting when it is aborted", async () => {
  await using deaf = await startServer({ scripts: buy, reflection: { silent: true } });
  await using caller = openCaller();
  const abort = new AbortController();
  const target = targetAt(deaf.endpoint, { attemptTimeout: 500 });
  const asked = unreachable(caller.method(target, "Echo", { signal: abort.signal }));
  abort.abort();
  assert.equal((await asked).code, "CANCELLED");
});

Deno.test("method() does not take a web server for a gRPC server without reflection", async () => {
  await using missing = await startHttp2((stream) => {
    stream.respond({ ":status": 404, "content-type": "text/html" });
    stream.end("<!DOCTYPE html>");
  });
  await using garbage = await startHttp2((stream) => {
    answerGrpc(stream, frame(new Uint8Array([0xff, 0xff, 0xff])));
  });
  await using caller = openCaller();
  await assert.rejects(caller.method(targetAt(missing.endpoint), "Echo"), (error: Error) => {
    assert(!error.message.includes("it has no server reflection"), error.message);
    return true;
  });
  await assert.rejects(caller.method(targetAt(garbage.endpoint), "Echo"), {
    code: "SCHEMA_UNAVAILABLE",
    message:
      `Cannot ask "shop" at ${garbage.endpoint} for its schema: it answered with data that ` +
      'is no reflection response; give "proto" or "descriptor_set" for it, or turn reflection on ' +
      "in the server",
  });
});
