// The first workflow of the language, to the letter, with nothing but the endpoint given.

import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { maestro } from "../cli/program.ts";
import {
  filesOf,
  type Script,
  type ScriptedServer,
  type ServerOptions,
  startServer,
  status,
} from "../support/grpc_server.ts";
import { fromFileUrl } from "../support/paths.ts";
import { startTcp } from "../support/raw_server.ts";
import { tempFiles } from "../support/temp_files.ts";
import { FIRST } from "../support/workflows.ts";

const here = (name: string) => fromFileUrl(new URL(`./testdata/${name}`, import.meta.url));
const text = Deno.readTextFileSync(here("first_workflow.yaml"));
const schema = (await protoSchema([here("auth.proto")], [here("")])).schema;
const descriptors = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, { file: filesOf(schema) }),
);

/** The user that was made, as an answer. */
const made: Script = ({ request }) => ({ id: "u-1", ...request as { email: string } });

function auth(
  createUser: Script,
  reflection: ServerOptions["reflection"] = {},
): Promise<ScriptedServer> {
  return startServer({
    schema,
    reflection,
    scripts: {
      "auth.v1.AuthService/CreateUser": createUser,
      "auth.v1.AuthService/DeleteUser": () => ({}),
    },
  });
}

/** Runs the workflow, with these lines more for its service. */
async function run(endpoint: string, more = "", output = "json") {
  await using files = await tempFiles({
    "first.yaml": text.replace("    type: grpc\n", `    type: grpc\n${more}`),
    "auth.proto": await Deno.readTextFile(here("auth.proto")),
    "auth.binpb": descriptors,
  });
  return await maestro(
    [
      "run",
      "first.yaml",
      "--set",
      "email=ada@example.com",
      "--endpoint",
      `auth=${endpoint}`,
      "--run-id",
      "first",
      "--output",
      output,
    ],
    { cwd: files.directory },
  );
}

Deno.test("the first workflow is the language's own, to the letter", () => {
  assert.equal(text, FIRST);
});

const SOURCES = [
  ["reflection", "", {}],
  ["a proto file", "    proto: [auth.proto]\n", "none"],
  ["a descriptor set", "    descriptor_set: auth.binpb\n", "none"],
] as const;

for (const [source, more, reflection] of SOURCES) {
  Deno.test(`the first workflow runs by ${source}`, async () => {
    await using server = await auth(made, reflection);
    const { code, stdout, stderr } = await run(server.endpoint, more);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.workflow, "user_onboarding");
    assert.equal(report.version, "1.0");
    assert.deepEqual(report.output, { id: "u-1", email: "ada@example.com" });
    assert.deepEqual(server.calls.map(({ method, request }) => [method, request]), [
      ["auth.v1.AuthService/CreateUser", { email: "ada@example.com" }],
    ]);
    const { metadata } = server.calls[0]!;
    assert.equal(metadata["idempotency-key"], "first/create_user/action");
    assert.equal(metadata["maestro-op"], "action");
    assert.equal(metadata["maestro-attempt"], "1");
  });
}

Deno.test("without its service the first workflow makes three attempts with growing delays, and names the endpoint", async () => {
  const free = await startTcp(() => {});
  await free[Symbol.asyncDispose]();
  const { code, stdout, stderr } = await run(free.endpoint, "", "events");
  assert.equal(code, 1);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const started = events.filter(({ kind }) => kind === "attempt_started");
  assert.deepEqual(started.map(({ attempt }) => attempt), [1, 2, 3]);
  // By the events' own times: 500 ms, then 1 s, each less up to half.
  const ended = events.filter(({ kind }) => kind === "attempt_ended");
  const [first = 0, second = 0] = ended.map(({ at, next_at }) =>
    Date.parse(next_at) - Date.parse(at)
  );
  assert.ok(250 <= first && first <= 500, `would wait ${first} ms`);
  assert.ok(500 <= second && second <= 1_000, `would wait ${second} ms`);
  for (const [index, { next_at }] of ended.slice(0, 2).entries()) {
    assert.ok(Date.parse(started[index + 1].at) >= Date.parse(next_at));
  }
  assert.equal(ended[2].next_at, null);
  assert.ok(stderr.includes(free.endpoint));

  const json = await run(free.endpoint);
  assert.equal(json.code, 1);
  const report = JSON.parse(json.stdout);
  assert.equal(report.status, "failed");
  const { code: why, step, attempts, outcome, message } = report.error;
  assert.deepEqual({ why, step, attempts, outcome }, {
    why: "UNAVAILABLE",
    step: "create_user",
    attempts: 3,
    outcome: "not_sent",
  });
  assert.equal(message, `Cannot reach "auth" at ${free.endpoint}: connection refused`);
  assert.ok(
    json.stderr.includes(
      `✗ Step "create_user" failed: UNAVAILABLE after 3 attempts (auth.CreateUser at ${free.endpoint})\n  ${message}; is it running? --endpoint auth=host:port names another place\n`,
    ),
  );
});

Deno.test("a service that recovers lets the first workflow complete, under one key", async () => {
  await using server = await auth((call) => {
    if (call.count < 3) throw status(14, "not yet");
    return made(call);
  });
  const { code, stdout } = await run(server.endpoint);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).steps[0].attempts, 3);
  const seen = server.calls.map(({ metadata }) => [
    metadata["idempotency-key"],
    metadata["maestro-attempt"],
  ]);
  assert.deepEqual(seen, ["1", "2", "3"].map((nth) => ["first/create_user/action", nth]));
});

Deno.test("where the user may exist and can't be named, the first workflow waits for an operator", async () => {
  await using server = await auth(() => {
    throw status(14, "who knows");
  });
  const { code, stdout, stderr } = await run(server.endpoint);
  assert.equal(code, 3);
  const report = JSON.parse(stdout);
  assert.equal(report.status, "needs_attention");
  assert.equal(report.error.outcome, "unknown");
  assert.deepEqual(
    report.attention.map((
      { step, op, error }: Record<string, { code: string }>,
    ) => [step, op, error?.code]),
    [
      ["create_user", "compensate", "EXPRESSION_ERROR"],
    ],
  );
  assert.match(stderr, /cannot be undone/);
  assert.equal(server.calls.length, 3);
});
