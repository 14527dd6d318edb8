import assert from "node:assert/strict";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../src/gen/grpc/health/v1/health_pb.ts";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { streamPlaces } from "../../src/server/places.ts";
import { RpcFailure } from "../support/api_client.ts";
import { startApiServer } from "../support/grpc_api.ts";

const { check, watch, list } = Health.method;

Deno.test("health is told to everybody, of the server and of each service", async () => {
  await using server = await startApiServer();
  const client = server.client(null);
  for (const service of ["", "maestro.v1.Runs", "maestro.v1.Workflows", "maestro.v1.Services"]) {
    assert.equal((await client.call(check, { service })).status, Status.SERVING);
  }
  await assert.rejects(
    client.call(check, { service: "maestro.v2.Runs" }),
    (error) => error instanceof RpcFailure && error.code === "NOT_FOUND",
  );
  assert.equal(Object.keys((await client.call(list, {})).statuses).length, 4);
});

Deno.test("a watch of the health hears of every change", async () => {
  await using server = await startApiServer();
  const client = server.client(null);
  const known = client.watch(watch, { service: "maestro.v1.Runs" });
  const unknown = client.watch(watch, { service: "nobody" });
  assert.equal((await known.next()).value?.status, Status.SERVING);
  assert.equal((await unknown.next()).value?.status, Status.SERVICE_UNKNOWN);
  server.grpc.setServing(false);
  assert.equal((await known.next()).value?.status, Status.NOT_SERVING);
  server.grpc.setServing(false);
  server.grpc.setServing(true);
  assert.equal((await known.next()).value?.status, Status.SERVING);
});

Deno.test("strangers who watch the health take no watch away from those who are known", async () => {
  await using server = await startApiServer({ places: streamPlaces(1) });
  const stranger = server.client(null);
  assert.equal((await stranger.watch(watch, {}).next()).value?.status, Status.SERVING);
  await assert.rejects(
    stranger.watch(watch, {}).next(),
    (error) => error instanceof RpcFailure && error.code === "RESOURCE_EXHAUSTED",
  );
  const known = server.client();
  await known.call(Runs.method.startRun, { workflow: "workflows/greet", runId: "r1" });
  assert.equal(
    (await known.watch(Runs.method.watchRun, { name: "runs/r1" }).next()).value?.event?.kind,
    "run_started",
  );
});
