import assert from "node:assert/strict";
import { callOnce, openCaller, outputOf } from "../support/grpc_call.ts";
import { startApiServer } from "../support/grpc_api.ts";
import { targetAt } from "../support/grpc_target.ts";

Deno.test("Maestro's own caller finds everything by reflection, and calls it", async () => {
  await using server = await startApiServer();
  await using caller = openCaller();
  const target = targetAt(`127.0.0.1:${server.grpc.port}`);
  const metadata = { authorization: "Bearer act" };
  const call = async (method: string, input: Record<string, unknown>) =>
    outputOf(await callOnce(caller, target, method, input as never, { metadata }));
  const run = await call("maestro.v1.Runs/StartRun", {
    workflow: "workflows/greet",
    run_id: "r1",
    input: { name: "Ada" },
  }) as { name: string; state: string };
  assert.deepEqual([run.name, run.state], ["runs/r1", "RUNNING"]);
  const health = await call("grpc.health.v1.Health/Check", {});
  assert.deepEqual(health, { status: "SERVING" });
});
