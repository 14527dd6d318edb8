import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import type { EventJson, Operations } from "../../src/server/operations.ts";
import { ApiClient, RpcFailure } from "../support/api_client.ts";
import { type ApiServer, startApiServer } from "../support/grpc_api.ts";
import { streamPlaces } from "../../src/server/places.ts";
import { hasOpenssl, makeCertificates } from "../support/certificates.ts";
import { openRelay } from "../support/relay.ts";

const { startRun, watchRun, watchRuns } = Runs.method;

/** Goes on until something holds: nothing is assumed of how long that takes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function failureOf(call: Promise<unknown>): Promise<RpcFailure> {
  const error = await call.then(() => null, (error) => error);
  assert.ok(error instanceof RpcFailure, String(error));
  return error;
}

/** Watches a run that waits, until the server knows. */
async function openWatch(server: ApiServer, client: ApiClient, count: number) {
  const watch = client.watch(watchRun, { name: "runs/r1" });
  await watch.next();
  assert.equal(server.grpc.streams, count);
  return watch;
}

Deno.test("there are so many streams at a time, and others when one has ended", async () => {
  await using server = await startApiServer({ places: streamPlaces(2) });
  const client = server.client();
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  const first = await openWatch(server, client, 1);
  await openWatch(server, client, 2);
  const refused = await failureOf(client.watch(watchRuns, {}).next());
  assert.equal(refused.code, "RESOURCE_EXHAUSTED");
  first.cancel();
  await until(() => server.grpc.streams === 1);
  await openWatch(server, client, 2);
});

Deno.test("a watcher that goes away is not kept", async () => {
  await using server = await startApiServer();
  using relay = openRelay(server.grpc.port);
  const writer = server.client();
  await writer.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  await openWatch(server, server.client("rule", relay.port), 1);
  relay.cut();
  await until(() => server.grpc.streams === 0);
});

/** Events without end, and how many were asked for. */
function flood(operations: Operations) {
  const made = { events: 0, ended: false };
  const filling = "x".repeat(10_000);
  const wrapped: Operations = Object.assign(Object.create(operations), {
    async *allEvents({ signal }: { signal: AbortSignal }) {
      try {
        while (!signal.aborted) {
          const seq = ++made.events;
          const event: EventJson = {
            run_id: "r1",
            seq,
            at: "2026-01-01T00:00:00.000Z",
            kind: "noise",
            filling,
          };
          yield { cursor: String(seq), event };
        }
      } finally {
        made.ended = true;
      }
    },
  });
  return { made, wrapped };
}

Deno.test("a watcher that reads nothing holds the events up, and is cut off", async () => {
  let made = { events: 0, ended: false };
  await using server = await startApiServer({
    patience: 200,
    wrap(operations) {
      const flooded = flood(operations);
      made = flooded.made;
      return flooded.wrapped;
    },
  });
  using relay = openRelay(server.grpc.port);
  const watch = server.client("rule", relay.port).watch(watchRuns, {});
  await watch.next();
  relay.pause();
  await until(() => made.ended);
  const { events } = made;
  assert.equal(server.grpc.streams, 0);
  // Others are served as before.
  await server.client().call(Health.method.check, {});
  assert.equal(made.events, events, "events were made for nobody");
  relay.resume();
  const error = await failureOf((async () => {
    for await (const _ of watch);
  })());
  assert.equal(error.code, "RESOURCE_EXHAUSTED");
});

/** Reads the flood's first five megabytes, now and then with a pause. */
async function readSlowly(client: ApiClient): Promise<void> {
  let expected = 1;
  for await (const { cursor } of client.watch(watchRuns, {})) {
    assert.equal(Number(cursor), expected);
    if (expected++ === 500) break;
    if (expected % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("a watcher that reads slowly gets everything in order", async () => {
  await using server = await startApiServer({ wrap: (operations) => flood(operations).wrapped });
  await readSlowly(server.client());
  await until(() => server.grpc.streams === 0);
});

Deno.test({
  name: "a watcher that reads nothing is cut off over TLS, too, and one that reads is not",
  ignore: !hasOpenssl,
  async fn() {
    await using certificates = await makeCertificates({ server: "DNS:localhost" });
    let made = { events: 0, ended: false };
    await using server = await startApiServer({
      certificate: { cert: certificates.read("server.crt"), key: certificates.read("server.key") },
      patience: 200,
      wrap(operations) {
        const flooded = flood(operations);
        made = flooded.made;
        return flooded.wrapped;
      },
    });
    const credentials = grpc.credentials.createSsl(Buffer.from(certificates.read("ca.crt")));
    const reader = new ApiClient(`localhost:${server.grpc.port}`, "rule", credentials);
    await readSlowly(reader);
    reader.close();
    await until(() => server.grpc.streams === 0);
    made.ended = false;
    using relay = openRelay(server.grpc.port);
    const idle = new ApiClient(`localhost:${relay.port}`, "rule", credentials);
    await idle.watch(watchRuns, {}).next();
    relay.pause();
    await until(() => made.ended);
    relay.resume();
    idle.close();
  },
});

Deno.test("when the server stops, watches end with the word to come again", async () => {
  const server = await startApiServer();
  const client = server.client();
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  const watch = await openWatch(server, client, 1);
  const rest = failureOf((async () => {
    for await (const _ of watch);
  })());
  const stopping = server[Symbol.asyncDispose]();
  const error = await rest;
  assert.equal(error.code, "UNAVAILABLE");
  assert.match(error.message, /watch again, from the last event/);
  await stopping;
});
