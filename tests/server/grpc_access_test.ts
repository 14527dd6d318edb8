import assert from "node:assert/strict";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { Services } from "../../src/gen/maestro/v1/services_pb.ts";
import { Workflows } from "../../src/gen/maestro/v1/workflows_pb.ts";
import { RpcFailure } from "../support/api_client.ts";
import { startApiServer } from "../support/grpc_api.ts";

const { startRun, getRun, listRuns, countRuns, watchRun, watchRuns } = Runs.method;
const { cancelRun, signalRun, resolveStep, resumeRun, resumeRuns, pruneRuns } = Runs.method;
const { listWorkflows, getWorkflow, validateWorkflow } = Workflows.method;
const { listServices, getService, forceOpenService, resetService } = Services.method;

/** @returns the code of a call's failure; `OK`: it has none */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    if (error instanceof RpcFailure) return error.code;
    throw error;
  }
}

const R1 = { name: "runs/r1" };
const S1 = { name: "services/s1" };

/** Every method, who may use it, and what it says to those who may. */
const METHODS = [
  [startRun, { workflow: "workflows/greet" }, "operator", "OK"],
  [getRun, R1, "viewer", "NOT_FOUND"],
  [listRuns, {}, "viewer", "OK"],
  [countRuns, {}, "viewer", "OK"],
  [cancelRun, R1, "operator", "NOT_FOUND"],
  [signalRun, { ...R1, signal: "go" }, "operator", "NOT_FOUND"],
  [resolveStep, { ...R1, step: "a", action: 1, reason: "b" }, "operator", "NOT_FOUND"],
  [resumeRun, R1, "operator", "NOT_FOUND"],
  [resumeRuns, {}, "operator", "OK"],
  [pruneRuns, { olderThan: { seconds: 1n } }, "admin", "OK"],
  [listWorkflows, {}, "viewer", "OK"],
  [getWorkflow, { name: "workflows/greet" }, "viewer", "OK"],
  [validateWorkflow, { definition: "name: a" }, "viewer", "OK"],
  [listServices, {}, "viewer", "OK"],
  [getService, S1, "viewer", "NOT_FOUND"],
  [forceOpenService, S1, "admin", "NOT_FOUND"],
  [resetService, S1, "admin", "NOT_FOUND"],
] as const;

const RANK = ["viewer", "operator", "admin"];

Deno.test("a method is for those whose role it takes", async (t) => {
  await using server = await startApiServer();
  const covered = METHODS.map(([method]) => method.name);
  const unary = [Runs, Workflows, Services].flatMap(({ methods }) => methods)
    .filter(({ methodKind }) => methodKind === "unary");
  assert.deepEqual(covered.toSorted(), unary.map(({ name }) => name).toSorted());
  const tokens = [["look", "viewer"], ["act", "operator"], ["rule", "admin"]] as const;
  for (const [token, role] of tokens) {
    const client = server.client(token);
    for (const [method, request, needed, allowed] of METHODS) {
      await t.step(`${role}: ${method.name}`, async () => {
        const expected = RANK.indexOf(role) >= RANK.indexOf(needed) ? allowed : "PERMISSION_DENIED";
        // The table has each method's own request beside it.
        assert.equal(
          await codeOf(client.call(method as typeof getRun, request as never)),
          expected,
        );
      });
    }
  }
});

Deno.test("nobody gets in without a token that is known", async () => {
  await using server = await startApiServer();
  for (const token of [null, "wrong"]) {
    const client = server.client(token);
    for (const [method, request] of METHODS) {
      const call = client.call(method as typeof getRun, request as never);
      assert.equal(await codeOf(call), "UNAUTHENTICATED", method.name);
    }
    for (const [method, request] of [[watchRun, R1], [watchRuns, {}]] as const) {
      const watch = client.watch(method as typeof watchRun, request);
      assert.equal(await codeOf(watch.next()), "UNAUTHENTICATED", method.name);
    }
  }
});
