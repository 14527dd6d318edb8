import assert from "node:assert/strict";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../src/gen/grpc/health/v1/health_pb.ts";
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
