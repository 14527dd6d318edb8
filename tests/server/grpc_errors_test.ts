import assert from "node:assert/strict";
import { MaestroError } from "../../src/errors.ts";
import { Runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { Services } from "../../src/gen/maestro/v1/services_pb.ts";
import { Workflows } from "../../src/gen/maestro/v1/workflows_pb.ts";
import { type ApiClient, RpcFailure } from "../support/api_client.ts";
import { startApiServer } from "../support/grpc_api.ts";

const { startRun, getRun, listRuns, watchRun, watchRuns, signalRun, resolveStep } = Runs.method;
const { getWorkflow, listWorkflows, validateWorkflow } = Workflows.method;

const R1 = { name: "runs/r1" };

/** Bad requests, what they are answered with, and which field is at fault. */
const BAD:
  readonly (readonly [string, (client: ApiClient) => Promise<unknown>, string, string?])[] = [
    ["no workflow", (c) => c.call(startRun, {}), "INVALID_ARGUMENT", "workflow"],
    [
      "no resource name",
      (c) => c.call(startRun, { workflow: "greet" }),
      "INVALID_ARGUMENT",
      "workflow",
    ],
    ["an unknown workflow", (c) => c.call(startRun, { workflow: "workflows/none" }), "NOT_FOUND"],
    ["an unknown version", (c) => c.call(startRun, { workflow: "workflows/greet@9" }), "NOT_FOUND"],
    [
      "a broken workflow",
      (c) => c.call(startRun, { workflow: "workflows/broken.yaml" }),
      "INVALID_ARGUMENT",
    ],
    [
      "an input that does not fit",
      (c) => c.call(startRun, { workflow: "workflows/greet", input: { name: 1 } }),
      "INVALID_ARGUMENT",
    ],
    [
      "a run id with a slash",
      (c) => c.call(startRun, { workflow: "workflows/greet", runId: "a/b" }),
      "INVALID_ARGUMENT",
    ],
    [
      "no time at all",
      (c) => c.call(startRun, { workflow: "workflows/greet", timeout: { seconds: 0n } }),
      "INVALID_ARGUMENT",
      "timeout",
    ],
    [
      "an input that is no JSON",
      (c) => c.call(startRun, { workflow: "workflows/greet", input: { name: NaN } }),
      "INVALID_ARGUMENT",
      "input",
    ],
    [
      "data that is no JSON",
      (c) =>
        c.call(signalRun, {
          ...R1,
          signal: "go",
          data: { kind: { case: "numberValue", value: Infinity } },
        }),
      "INVALID_ARGUMENT",
      "data",
    ],
    [
      "data that says nothing",
      (c) => c.call(signalRun, { ...R1, signal: "go", data: {} }),
      "INVALID_ARGUMENT",
      "data",
    ],
    ["no name", (c) => c.call(getRun, {}), "INVALID_ARGUMENT", "name"],
    [
      "another collection",
      (c) => c.call(getRun, { name: "workflows/a" }),
      "INVALID_ARGUMENT",
      "name",
    ],
    ["an unknown run", (c) => c.call(getRun, R1), "NOT_FOUND"],
    ["an unknown run to watch", (c) => c.watch(watchRun, R1).next(), "NOT_FOUND"],
    [
      "a place before all",
      (c) => c.watch(watchRun, { ...R1, after: -1n }).next(),
      "INVALID_ARGUMENT",
      "after",
    ],
    ["no cursor", (c) => c.watch(watchRuns, { after: "here" }).next(), "INVALID_ARGUMENT"],
    ["a negative page", (c) => c.call(listRuns, { pageSize: -1 }), "INVALID_ARGUMENT"],
    ["no page token", (c) => c.call(listRuns, { pageToken: "x" }), "INVALID_ARGUMENT"],
    ["a filter", (c) => c.call(listRuns, { filter: "state = done" }), "INVALID_ARGUMENT", "filter"],
    [
      "a negative page of workflows",
      (c) => c.call(listWorkflows, { pageSize: -1 }),
      "INVALID_ARGUMENT",
      "page_size",
    ],
    ["no token of workflows", (c) => c.call(listWorkflows, { pageToken: "x" }), "INVALID_ARGUMENT"],
    ["no signal", (c) => c.call(signalRun, R1), "INVALID_ARGUMENT", "signal"],
    ["no step", (c) => c.call(resolveStep, R1), "INVALID_ARGUMENT", "step"],
    [
      "no reason",
      (c) => c.call(resolveStep, { ...R1, step: "a", action: 1 }),
      "INVALID_ARGUMENT",
      "reason",
    ],
    [
      "no action",
      (c) => c.call(resolveStep, { ...R1, step: "a", reason: "b" }),
      "INVALID_ARGUMENT",
      "action",
    ],
    [
      "an action of the future",
      (c) => c.call(resolveStep, { ...R1, step: "a", reason: "b", action: 99 as 1 }),
      "INVALID_ARGUMENT",
      "action",
    ],
    [
      "an unknown service",
      (c) => c.call(Services.method.resetService, { name: "services/x" }),
      "NOT_FOUND",
    ],
    [
      "bytes of something else",
      (c) => c.call(getRun, new Uint8Array([0xff, 0xff])),
      "INVALID_ARGUMENT",
    ],
  ];

Deno.test("a bad request is answered with what is wrong, where, and why", async (t) => {
  await using server = await startApiServer();
  const client = server.client();
  for (const [name, call, code, field] of BAD) {
    await t.step(name, async () => {
      const error = await call(client).then(() => null, (error) => error);
      assert.ok(error instanceof RpcFailure, String(error));
      assert.equal(error.code, code);
      const { details } = error.status as { details: Record<string, unknown>[] };
      const [info, bad] = details;
      assert.equal(info?.["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
      assert.equal(info?.["domain"], "maestro");
      if (field === undefined) return;
      const [violation] = bad?.["field_violations"] as { field: string; description: string }[];
      assert.equal(violation?.field, field);
      assert.notEqual(violation?.description, "");
    });
  }
  assert.deepEqual(server.defects, []);
});

Deno.test("messages that are too large are refused, and the server goes on", async () => {
  await using server = await startApiServer({ maxMessageSize: 10_000 });
  const client = server.client();
  await assert.rejects(
    client.call(validateWorkflow, { definition: "#".repeat(20_000) }),
    (error) => error instanceof RpcFailure && error.code === "RESOURCE_EXHAUSTED",
  );
  assert.deepEqual((await client.call(listRuns, {})).runs, []);
});

Deno.test("a thousand problems do not make a status that no client takes", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const input = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, at) => [`field_${at}`.padEnd(100, "x"), 1]),
  );
  const call = client.call(startRun, { workflow: "workflows/greet", input });
  const error = await call.then(() => null, (error) => error);
  assert.equal(error.code, "INVALID_ARGUMENT");
  const violations = error.status.details[1].field_violations;
  assert.ok(violations.length > 0 && violations.length < 100, `${violations.length}`);
});

Deno.test("of a defect the caller is told nothing, and the log everything", async () => {
  const secrets = [
    ["INTERNAL", new Error("at line 7 of the secret")],
    ["UNAVAILABLE", new MaestroError("STORE_FAILED", "Cannot write to the secret")],
  ] as const;
  for (const [code, secret] of secrets) {
    await using server = await startApiServer({
      wrap: (operations) => ({ ...operations, countRuns: () => Promise.reject(secret) }),
    });
    const client = server.client();
    const error = await client.call(Runs.method.countRuns, {}).then(() => null, (error) => error);
    assert.ok(error instanceof RpcFailure);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message + JSON.stringify(error.status), /secret/);
    assert.deepEqual(server.defects, [secret]);
  }
});

Deno.test("a workflow is checked without being kept", async () => {
  await using server = await startApiServer();
  const client = server.client();
  const { problems } = await client.call(validateWorkflow, { definition: "name: a\nsteps: 1\n" });
  assert.ok(problems.some(({ line, severity }) => line === 2 && severity === 1));
  const { workflows } = await client.call(listWorkflows, {});
  assert.deepEqual(workflows.map(({ displayName, startable }) => [displayName, startable]), [
    ["broken.yaml", false],
    ["greet", true],
    ["ship", true],
  ]);
});

Deno.test("a workflow is got with its definition and the schema of its input", async () => {
  await using server = await startApiServer();
  const client = server.client("look");
  const got = await client.call(getWorkflow, { name: "workflows/greet" });
  assert.equal(got.name, "workflows/greet@1.0");
  assert.match(got.definition, /await_signal: go/);
  assert.equal(got.inputSchema?.kind.case, "structValue");
  assert.equal(got.description, "Waits for a word.");
  const pages: string[] = [];
  for (let pageToken = "";;) {
    const page = await client.call(listWorkflows, { pageSize: 1, pageToken });
    pages.push(...page.workflows.map(({ name }) => name));
    if (page.nextPageToken === "") break;
    pageToken = page.nextPageToken;
  }
  assert.deepEqual(pages, ["workflows/broken.yaml", "workflows/greet@1.0", "workflows/ship"]);
});
