import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";

import { create, toBinary } from "@bufbuild/protobuf";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { streamPlaces } from "../../src/server/places.ts";
import { RpcFailure } from "../support/api_client.ts";
import { startApiServer } from "../support/grpc_api.ts";
import { hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { openRelay } from "../support/relay.ts";

const START = "/maestro.v1.Runs/StartRun";
const CHECK = "/grpc.health.v1.Health/Check";
const REFLECT = `/${ServerReflection.typeName}/ServerReflectionInfo`;

/** Goes on until something holds: nothing is assumed of how long that takes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** One connection that says what no client would. */
function openConnection(port: number): ClientHttp2Session & Disposable {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}

/** A call of which nothing but its beginning is sent. */
function begin(session: ClientHttp2Session, path: string, token?: string): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    "te": "trailers",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  });
  stream.on("error", () => {});
  stream.resume();
  return stream;
}

/** What a call is answered with, and that it is closed then, though nobody ended it. */
async function answerOf(stream: ClientHttp2Stream) {
  const closed = new Promise<void>((resolve) => stream.on("close", () => resolve()));
  const answer = await new Promise<Record<string, string>>((resolve) => {
    const look = (headers: object) => {
      if ("grpc-status" in headers) resolve(headers as Record<string, string>);
    };
    stream.on("response", look);
    stream.on("trailers", look);
  });
  await closed;
  return { code: Number(answer["grpc-status"]), message: decodeURI(answer["grpc-message"] ?? "") };
}

/** A message as it goes over the wire. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

Deno.test("who shows no token is refused before a byte of the request is there", async () => {
  await using server = await startApiServer();
  using session = openConnection(server.grpc.port);
  for (const token of [undefined, "wrong"]) {
    assert.equal((await answerOf(begin(session, START, token))).code, 16);
  }
});

Deno.test("a request that does not arrive is not waited for", async () => {
  await using server = await startApiServer({ arrivesWithin: 50 });
  using session = openConnection(server.grpc.port);
  const begun = begin(session, START, "rule");
  begun.write(framed(new Uint8Array(1_000)).subarray(0, 500));
  assert.deepEqual(await answerOf(begun), {
    code: 3,
    message: "The request did not arrive within 0.05 s",
  });
});

Deno.test("a watch is no request that does not arrive", async () => {
  await using server = await startApiServer({ arrivesWithin: 50 });
  const client = server.client();
  await client.call(Runs.method.startRun, { workflow: "workflows/greet", runId: "r1" });
  const watch = client.watch(Runs.method.watchRun, { name: "runs/r1" });
  await watch.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await client.call(Runs.method.cancelRun, { name: "runs/r1" });
  const kinds: (string | undefined)[] = [];
  for await (const { event } of watch) kinds.push(event?.kind);
  assert.equal(kinds.at(-1), "run_ended");
});

Deno.test("strangers have so many requests on their way, of so many bytes", async () => {
  await using server = await startApiServer({ mostStrangers: 2 });
  using session = openConnection(server.grpc.port);
  const large = begin(session, CHECK);
  large.write(framed(new Uint8Array(20_000)));
  assert.deepEqual(await answerOf(large), {
    code: 8,
    message: "Received message larger than max (20000 vs 16384)",
  });
  const held = [begin(session, CHECK), begin(session, CHECK)];
  assert.equal((await answerOf(begin(session, CHECK))).code, 8);
  // Those who are known are served all the same.
  await server.client().call(Runs.method.listRuns, {});
  held[0]?.destroy();
  held[1]?.end(framed(new Uint8Array()));
  assert.equal((await answerOf(held[1]!)).code, 0);
  await server.client(null).call(Health.method.check, {});
});

Deno.test("a connection has so many calls, and a server so many connections", async () => {
  await using server = await startApiServer({ maxConnections: 1 });
  using session = openConnection(server.grpc.port);
  await new Promise<void>((resolve) => session.once("remoteSettings", () => resolve()));
  assert.equal(session.remoteSettings.maxConcurrentStreams, 100);
  using second = openConnection(server.grpc.port);
  await new Promise<void>((resolve) => second.once("close", () => resolve()));
  session.destroy();
  for (;;) {
    using third = openConnection(server.grpc.port);
    const isOpen = await new Promise<boolean>((resolve) => {
      third.once("remoteSettings", () => resolve(true));
      third.once("close", () => resolve(false));
    });
    if (isOpen) break;
  }
});

Deno.test("a connection that says nothing is closed", async () => {
  await using server = await startApiServer({ signOfLifeEvery: 100 });
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.grpc.port });
  for await (const _ of silent.readable) assert.fail("HTTP/2 has begun, which costs memory");
});

Deno.test("a connection that has said nothing ends when the server stops", async () => {
  const server = await startApiServer();
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.grpc.port });
  await server.client().call(Runs.method.listRuns, {}); // by now the server has it
  await server[Symbol.asyncDispose]();
  for await (const _ of silent.readable);
});

Deno.test({
  name: "a connection that leaves its TLS handshake at that is closed",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({ server: "DNS:localhost" });
    await using server = await startApiServer({
      certificate: { cert: certificates.read("server.crt"), key: certificates.read("server.key") },
      signOfLifeEvery: 100,
    });
    using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.grpc.port });
    await silent.write(Uint8Array.of(0x16, 3, 1, 2)); // the first bytes of a ClientHello
    for await (const _ of silent.readable);
  },
});

Deno.test("a watch that is quiet for long is kept, as its reader gives signs of life", async () => {
  await using server = await startApiServer({ signOfLifeEvery: 2_000 });
  const client = server.client();
  const watch = client.watch(Runs.method.watchRuns, {});
  const first = watch.next();
  await until(() => server.grpc.streams === 1);
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  assert.equal(server.grpc.streams, 1);
  await client.call(Runs.method.startRun, { workflow: "workflows/greet", runId: "r1" });
  assert.equal((await first).value?.event?.run, "runs/r1");
});

const LIST = framed(toBinary(
  ServerReflectionRequestSchema,
  create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } }),
));

Deno.test("reflection is counted, apart from those who are known, and ends when nothing is asked", async () => {
  await using server = await startApiServer({ places: streamPlaces(1), arrivesWithin: 1_000 });
  using session = openConnection(server.grpc.port);
  const first = begin(session, REFLECT);
  const heard = new Promise((resolve) => first.once("data", resolve));
  first.write(LIST);
  await heard;
  assert.equal(server.grpc.streams, 1);
  assert.equal((await answerOf(begin(session, REFLECT))).code, 8);
  const client = server.client();
  await client.call(Runs.method.startRun, { workflow: "workflows/greet", runId: "r1" });
  await client.watch(Runs.method.watchRun, { name: "runs/r1" }).next();
  assert.deepEqual(await answerOf(first), { code: 3, message: "Nothing was asked for 1 s" });
  await until(() => server.grpc.streams === 1);
});

Deno.test("reflection answers nobody who does not read the answers", async () => {
  await using server = await startApiServer({ patience: 200 });
  using relay = openRelay(server.grpc.port);
  using session = openConnection(relay.port);
  const stream = begin(session, REFLECT);
  const heard = new Promise((resolve) => stream.once("data", resolve));
  stream.write(LIST);
  await heard;
  const ask = framed(toBinary(
    ServerReflectionRequestSchema,
    create(ServerReflectionRequestSchema, {
      messageRequest: { case: "fileContainingSymbol", value: "maestro.v1.Runs" },
    }),
  ));
  relay.pause();
  for (let count = 0; count < 1_000; count++) stream.write(ask);
  await until(() => server.grpc.streams === 0);
});

Deno.test("reflection ends when the server stops", async () => {
  const server = await startApiServer();
  using session = openConnection(server.grpc.port);
  const stream = begin(session, REFLECT);
  stream.write(LIST);
  await until(() => server.grpc.streams === 1);
  const answer = answerOf(stream);
  await server[Symbol.asyncDispose]();
  assert.equal((await answer).code, 14);
});

Deno.test("a watch ends when its token is known no longer", async () => {
  let isKnown = true;
  await using server = await startApiServer({
    lookWhoEvery: 20,
    isKnown: () => isKnown,
  });
  const client = server.client();
  const watch = client.watch(Runs.method.watchRuns, {});
  const first = watch.next();
  await until(() => server.grpc.streams === 1);
  isKnown = false;
  await assert.rejects(
    first,
    (error) => error instanceof RpcFailure && error.code === "UNAUTHENTICATED",
  );
  await until(() => server.grpc.streams === 0);
});
