import assert from "node:assert/strict";
import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { RpcFailure } from "../support/api_client.ts";
import { type ApiServer, startApiServer } from "../support/grpc_api.ts";

const { startRun, getRun, signalRun, watchRun } = Runs.method;

const DEEP = { recursionLimit: 10_000 };

function valueOf(json: JsonValue) {
  return fromJson(ValueSchema, json, DEEP);
}

/** Lists and maps in turn, so many levels of them. */
function nested(levels: number): JsonValue {
  let json: JsonValue = "core";
  for (let level = levels; level > 0; level--) json = level % 2 === 0 ? [json] : { in: json };
  return json;
}

/** What the run gives back that was handed this signal. */
async function echoOf(server: ApiServer, data: JsonValue): Promise<JsonValue> {
  const client = server.client();
  const runId = crypto.randomUUID();
  const name = `runs/${runId}`;
  await client.call(startRun, { workflow: "workflows/greet", runId });
  await client.call(signalRun, { name, signal: "go", data: valueOf(data) });
  const watch = client.watch(watchRun, { name });
  let told: JsonObject | undefined;
  for await (const { event } of watch) {
    if (event?.kind === "signal_received") told = event.details;
  }
  assert.deepEqual(told?.["payload"], data, "the event has it, too");
  const { output } = await client.call(getRun, { name });
  return toJson(ValueSchema, output!);
}

async function refusalOf(call: Promise<unknown>): Promise<RpcFailure> {
  const error = await call.then(() => null, (error) => error);
  assert.ok(error instanceof RpcFailure, String(error));
  assert.equal(error.code, "INVALID_ARGUMENT");
  return error;
}

Deno.test("numbers that JSON keeps come back as they went", async () => {
  await using server = await startApiServer();
  const numbers = [0, -1.5, 1e-300, 2 ** 53 - 1, -(2 ** 53 - 1), "1152921504606846976"];
  assert.deepEqual(await echoOf(server, numbers), numbers);
});

Deno.test("a whole number that may have lost digits is refused, and where it is is said", async (t) => {
  await using server = await startApiServer();
  const client = server.client();
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  for (const number of [2 ** 53, -(2 ** 60), 1e300]) {
    await t.step(`${number}`, async () => {
      const input = { name: "Ada", counts: [1, { n: number }] };
      const start = { workflow: "workflows/greet", input };
      const started = await refusalOf(client.call(startRun, start));
      assert.match(started.message, /"input\.counts\[1\]\.n": .* send it as a string/);
      const signal = { name: "runs/r1", signal: "go", data: valueOf(number) };
      const signalled = await refusalOf(client.call(signalRun, signal));
      assert.match(signalled.message, /"data": .* send it as a string/);
    });
  }
});

Deno.test("JSON is as deep as over HTTP, there and back", async () => {
  await using server = await startApiServer();
  const client = server.client();
  assert.deepEqual(await echoOf(server, nested(200)), nested(200));
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  for (const levels of [201, 1_000]) {
    const data = valueOf(nested(levels));
    const call = client.call(signalRun, { name: "runs/r1", signal: "go", data });
    assert.match((await refusalOf(call)).message, /more than 200 levels deep/);
    const input = { name: nested(levels - 1) };
    const start = client.call(startRun, { workflow: "workflows/greet", input });
    assert.match((await refusalOf(start)).message, /more than 200 levels deep/);
  }
});
