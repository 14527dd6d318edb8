import assert from "node:assert/strict";
import { type Event, Run_State, Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { ResolveStepRequest_Action as Action } from "../../src/gen/maestro/v1/runs_pb.ts";
import { Operation } from "../../src/gen/maestro/v1/runs_pb.ts";
import { Service_BreakerState, Services } from "../../src/gen/maestro/v1/services_pb.ts";
import { valueOf } from "../../src/server/grpc/json_values.ts";
import { type ApiClient, RpcFailure } from "../support/api_client.ts";
import { startApiServer } from "../support/grpc_api.ts";

const { startRun, getRun, listRuns, countRuns, watchRun, watchRuns } = Runs.method;
const { cancelRun, signalRun, resolveStep, resumeRun, resumeRuns, pruneRuns } = Runs.method;

async function watched(client: ApiClient, name: string, after = 0n): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { event } of client.watch(watchRun, { name, after })) events.push(event!);
  return events;
}

Deno.test("a run is started, watched, signalled, and got with its output", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const started = await client.call(startRun, {
    workflow: "workflows/greet@1.0",
    input: { name: "Ada" },
    runId: "r1",
    correlationId: "c1",
  });
  assert.equal(started.name, "runs/r1");
  assert.equal(started.workflow, "workflows/greet@1.0");
  assert.equal(started.correlationId, "c1");
  assert.equal(started.state, Run_State.RUNNING);
  const events = watched(client, "runs/r1");
  await client.call(signalRun, { name: "runs/r1", signal: "go", data: valueOf({ n: 1 }) });
  const heard = await events;
  assert.equal(heard[0]?.kind, "run_started");
  assert.equal(heard.at(-1)?.kind, "run_ended");
  assert.deepEqual(heard.map(({ sequence }) => Number(sequence)), heard.map((_, at) => at + 1));
  assert.equal(heard.at(-1)?.details?.["status"], "completed");
  const run = await client.call(getRun, { name: "runs/r1" });
  assert.equal(run.state, Run_State.COMPLETED);
  assert.deepEqual(run.output, valueOf({ n: 1 }));
  assert.deepEqual(run.steps.map(({ path, kind }) => [path, kind]), [["pause", "signal"]]);
  assert.ok(run.startTime && run.endTime && run.duration);
  const rest = await watched(client, "runs/r1", BigInt(heard.length - 1));
  assert.deepEqual(rest.map(({ kind }) => kind), ["run_ended"]);
});

Deno.test("a run is started once, however often it is asked for", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const request = { workflow: "workflows/greet", input: { name: "Ada" }, runId: "once" };
  const [one, two] = await Promise.all([
    client.call(startRun, request),
    client.call(startRun, request),
  ]);
  assert.deepEqual([one.name, two.name], ["runs/once", "runs/once"]);
  await assert.rejects(
    client.call(startRun, { ...request, input: { name: "Bob" } }),
    (error) => error instanceof RpcFailure && error.code === "ALREADY_EXISTS",
  );
  const { counts } = await client.call(countRuns, {});
  assert.equal(counts.find(({ state }) => state === Run_State.RUNNING)?.count, 1n);
  assert.equal(counts.length, 9);
});

Deno.test("a trace is gone on with, and what is no trace context is left out", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const workflow = "workflows/greet";
  await client.call(startRun, { workflow, runId: "traced" }, { traceparent });
  await client.call(startRun, { workflow, runId: "new" }, { traceparent: "nonsense" });
  for (const [runId, same] of [["traced", true], ["new", false]] as const) {
    const watch = client.watch(watchRun, { name: `runs/${runId}` });
    const { value } = await watch.next();
    watch.cancel();
    assert.equal(value?.event?.details?.["traceparent"] === traceparent, same);
  }
});

Deno.test("a cancelled run ends as such", async () => {
  await using server = await startApiServer();
  const client = server.client();
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  await client.call(cancelRun, { name: "runs/r1" });
  const events = await watched(client, "runs/r1");
  assert.equal(events.find(({ kind }) => kind === "cancel_requested")?.details?.["by"], "ada");
  const run = await client.call(getRun, { name: "runs/r1" });
  assert.equal(run.state, Run_State.CANCELLED);
  assert.equal(run.output, undefined);
});

Deno.test("a parked run is seen, and resolved", async () => {
  await using server = await startApiServer();
  const client = server.client("act");
  await client.call(startRun, { workflow: "workflows/ship", runId: "r1" });
  const watch = client.watch(watchRun, { name: "runs/r1" });
  for await (const { event } of watch) if (event?.kind === "attention_raised") break;
  const parked = await client.call(getRun, { name: "runs/r1" });
  assert.equal(parked.state, Run_State.NEEDS_ATTENTION);
  const [attention] = parked.attention;
  assert.equal(attention?.step, "label");
  assert.equal(attention?.operation, Operation.ACTION);
  assert.equal(attention?.error?.code, "INVALID_ARGUMENT");
  assert.deepEqual(attention?.request, valueOf({ to: "nobody" }));
  await client.call(resolveStep, {
    name: "runs/r1",
    step: "label",
    action: Action.RETRY,
    input: valueOf({ to: "Ada" }),
    reason: "a better address",
    requestId: "q1",
  });
  const events = await watched(client, "runs/r1");
  assert.equal(events.find(({ kind }) => kind === "attention_resolved")?.details?.["by"], "otto");
  assert.equal((await client.call(getRun, { name: "runs/r1" })).state, Run_State.COMPLETED);
});

Deno.test("runs are listed by filter, in pages", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const workflow = "workflows/greet";
  for (const runId of ["a-1", "a-2", "a-3", "b-1"]) {
    await client.call(startRun, { workflow, runId });
  }
  await client.call(cancelRun, { name: "runs/a-2" });
  await watched(client, "runs/a-2");
  const names: string[] = [];
  let pages = 0;
  for (let pageToken = "";;) {
    const request = { filter: "a- AND state = RUNNING", pageSize: 1, pageToken };
    const { runs, nextPageToken } = await client.call(listRuns, request);
    names.push(...runs.map(({ name }) => name));
    pages++;
    if (nextPageToken === "") break;
    pageToken = nextPageToken;
  }
  assert.deepEqual(names.sort(), ["runs/a-1", "runs/a-3"]);
  assert.equal(pages, 2);
  const { runs } = await client.call(listRuns, { filter: 'workflow = "ship"' });
  assert.deepEqual(runs, []);
});

Deno.test("a watch of all runs goes on where it was left", async () => {
  await using server = await startApiServer();
  const client = server.client("look");
  const writer = server.client();
  const workflow = "workflows/greet";
  const watch = client.watch(watchRuns, {});
  let isHeard = false;
  const first = watch.next().finally(() => isHeard = true);
  // Until the server has heard of the watch, what happens is not told: so it happens again and again.
  for (let nth = 0; !isHeard; nth++) await writer.call(startRun, { workflow, runId: `r${nth}` });
  const cursor = (await first).value!.cursor;
  watch.cancel();
  await writer.call(startRun, { workflow, runId: "last" });
  const seen: string[] = [];
  for await (const { event, cursor: at } of client.watch(watchRuns, { after: cursor })) {
    assert.notEqual(at, cursor);
    seen.push(`${event!.run} ${event!.kind}`);
    if (event!.run === "runs/last") break;
  }
  assert.equal(seen.at(-1), "runs/last run_started");
});

Deno.test("a mask says which fields of a run are wanted", async () => {
  await using server = await startApiServer();
  const client = server.client();
  await client.call(startRun, { workflow: "workflows/greet", runId: "r1" });
  const masked = await client.call(getRun, {
    name: "runs/r1",
    readMask: { paths: ["state", "start_time.seconds", "start_time"] },
  });
  assert.equal(masked.state, Run_State.RUNNING);
  assert.notEqual(masked.startTime, undefined);
  assert.deepEqual([masked.name, masked.steps], ["", []]);
  await assert.rejects(
    client.call(getRun, { name: "runs/r1", readMask: { paths: ["status"] } }),
    /"status" is no field of maestro.v1.Run/,
  );
});

Deno.test("services are listed with what came of their calls, held back, and let through again", async () => {
  await using server = await startApiServer();
  const client = server.client();
  await client.call(Runs.method.startRun, { workflow: "workflows/ship", runId: "r1" });
  for await (const { event } of client.watch(watchRun, { name: "runs/r1" })) {
    if (event?.kind === "attention_raised") break;
  }
  const { listServices, getService, forceOpenService, resetService } = Services.method;
  const { services: [shop] } = await client.call(listServices, {});
  assert.match(shop!.name, /^services\/shop-/);
  assert.equal(shop!.displayName, "shop");
  assert.equal(shop!.breakerState, Service_BreakerState.CLOSED);
  assert.equal(shop!.callStats?.calls, 2n);
  assert.equal(shop!.callStats?.failures, 1n);
  const { name } = shop!;
  const forced = await client.call(forceOpenService, { name });
  assert.equal(forced.breakerState, Service_BreakerState.FORCED_OPEN);
  const got = await client.call(getService, { name, readMask: { paths: ["breaker_state"] } });
  assert.equal(got.breakerState, Service_BreakerState.FORCED_OPEN);
  assert.equal(got.endpoint, "");
  const reset = await client.call(resetService, { name });
  assert.equal(reset.breakerState, Service_BreakerState.CLOSED);
});

Deno.test("runs are resumed, and old ones dropped", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const workflow = "workflows/greet";
  for (const runId of ["open", "ended"]) await client.call(startRun, { workflow, runId });
  await client.call(cancelRun, { name: "runs/ended" });
  await watched(client, "runs/ended");
  assert.equal((await client.call(resumeRun, { name: "runs/open" })).state, Run_State.RUNNING);
  await assert.rejects(client.call(resumeRun, { name: "runs/ended" }), {
    code: "FAILED_PRECONDITION",
  });
  const { runs, sleepingCount, failedRuns } = await client.call(resumeRuns, {});
  assert.deepEqual([runs, sleepingCount, failedRuns], [[], 0n, []]);
  await assert.rejects(client.call(pruneRuns, {}), { code: "INVALID_ARGUMENT" });
  const negative = { olderThan: { seconds: -1n, nanos: 0 } };
  await assert.rejects(client.call(pruneRuns, negative), { code: "INVALID_ARGUMENT" });
  const old = { olderThan: { seconds: 3_600n, nanos: 0 } };
  assert.deepEqual((await client.call(pruneRuns, old)).droppedCount, 0n);
  await new Promise((resolve) => setTimeout(resolve, 5)); // it ended before now
  const all = await client.call(pruneRuns, { olderThan: { seconds: 0n, nanos: 0 } });
  assert.deepEqual([all.droppedCount, all.more], [1n, false]);
  await client.call(getRun, { name: "runs/open" });
});
