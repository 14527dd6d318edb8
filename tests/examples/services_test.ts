// The example services keep the promises of semantics.md §5, in every language alike.

import assert from "node:assert/strict";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Ledger, Operation, State } from "../../examples/services/deno/gen/ledger/v1/ledger_pb.ts";
import { service } from "../../examples/services/node/server/descriptors.mjs";
import { programs } from "../../examples/services/programs.ts";
import { CallError, type Keys, ServicesClient } from "./services_client.ts";
import { cases } from "./services_cases.ts";
import { testActions, testPrograms } from "./services_harness.ts";

const NOT_FOUND = 5;
const ABORTED = 10;

/** A HealthCheckResponse on the wire: field 1, `status`, is 1, SERVING. */
const SERVING = new Uint8Array([8, 1]);

const action: Keys = { key: "run-1/do/action", op: "action", runId: "run-1" };
const undo: Keys = {
  key: "run-1/do/compensate",
  actionKey: "run-1/do/action",
  op: "compensate",
  runId: "run-1",
};
const verify: Keys = { ...undo, key: "run-1/do/verify", op: "verify" };

/** `state method` of every record of the run. */
async function history(client: ServicesClient): Promise<string[]> {
  const { records } = await client.call(Ledger.method.list, { runId: "run-1" });
  return records.map(({ state, method }) => `${State[state]} ${method}`);
}

function failsWith(code: number, reason?: string) {
  return (error: unknown) => {
    assert(error instanceof CallError, String(error));
    assert.equal(error.code, code, error.message);
    if (reason !== undefined) assert.equal(error.reason, reason);
    return true;
  };
}

testActions("an action that comes again is answered as before", async (subject, { client }) => {
  const first = await subject.action.make(client, action);
  const again = await subject.action.make(client, action);
  assert(first.length > 0);
  assert.deepEqual(again, first);
  assert.deepEqual(await history(client), [`DONE ${subject.action.method}`]);
});

testActions("an action sent many times at once is done once", async (subject, { client }) => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => subject.action.make(client, action)),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual(await history(client), [`DONE ${subject.action.method}`]);
});

testActions("an undo that comes again does nothing more", async (subject, { client }) => {
  await subject.action.make(client, action);
  const first = await subject.undo.make(client, undo);
  assert.deepEqual(await subject.undo.make(client, undo), first);
  assert.deepEqual(await history(client), [
    `DONE ${subject.action.method}`,
    `UNDONE ${subject.undo.method}`,
  ]);
});

testActions("an undo before its action is void, and the late action does nothing", async (
  subject,
  { client },
) => {
  const first = await subject.undo.make(client, undo);
  assert.deepEqual(await subject.undo.make(client, undo), first);
  await assert.rejects(subject.action.make(client, action), failsWith(ABORTED, "ACTION_UNDONE"));
  assert.deepEqual(await history(client), [`VOID ${subject.undo.method}`]);
  // Nothing was done: the same thing can still be done for another reason.
  await subject.action.make(client, { ...action, key: "run-1/other/action" });
});

testActions(
  "an action that comes again after its undo does nothing",
  async (subject, { client }) => {
    await subject.action.make(client, action);
    await subject.undo.make(client, undo);
    await assert.rejects(subject.action.make(client, action), failsWith(ABORTED, "ACTION_UNDONE"));
    assert.equal((await history(client)).length, 2);
  },
);

testActions("a verification tells what happened, and voids what did not", async (
  subject,
  { client },
) => {
  if (!subject.verify) return;
  await subject.action.make(client, action);
  assert((await subject.verify.make(client, verify)).length > 0);

  const other = { ...action, key: "run-1/late/action" };
  const asked = { ...verify, actionKey: other.key };
  await assert.rejects(subject.verify.make(client, asked), failsWith(NOT_FOUND));
  await assert.rejects(subject.action.make(client, other), failsWith(ABORTED, "ACTION_UNDONE"));

  await subject.undo.make(client, undo);
  await assert.rejects(subject.verify.make(client, verify), failsWith(NOT_FOUND));
  assert.deepEqual(await history(client), [
    `DONE ${subject.action.method}`,
    `VOID ${subject.verify.method}`,
    `UNDONE ${subject.undo.method}`,
  ]);
});

testActions("a refused action leaves nothing behind", async (subject, { client }) => {
  if (!subject.refused) return;
  const { call, code, reason } = subject.refused;
  await assert.rejects(call.make(client, action), failsWith(code, reason));
  assert.deepEqual(await history(client), []);
  // The same key may come again: being refused is not having been done.
  await subject.action.make(client, action);
});

testActions("an undo that is refused changes nothing", async (subject, { client }) => {
  // A mail can't be found missing.
  if (subject.service === "mail") return;
  const answer = await subject.action.make(client, action);
  // By hand, past the workflow.
  await subject.undo.make(client);
  await assert.rejects(subject.undo.make(client, undo), failsWith(NOT_FOUND));
  // As far as the barrier knows, the action still stands.
  assert.deepEqual(await subject.action.make(client, action), answer);
  assert.deepEqual(await history(client), [`DONE ${subject.action.method}`]);
});

testActions("calls without metadata are simply done", async (subject, { client }) => {
  await subject.action.make(client);
  if (subject.verify) assert((await subject.verify.make(client)).length > 0);
  await subject.undo.make(client);
  if (subject.verify) await subject.verify.make(client).catch(failsWith(NOT_FOUND));
  await subject.action.make(client, { key: "again" }).catch(() => {});
  const { records } = await client.call(Ledger.method.list, {});
  const own = records.slice(subject.before ? 1 : 0);
  assert.deepEqual(
    own.slice(0, 2).map(({ state, operation, actionKey }) => [
      state,
      operation,
      actionKey,
    ]),
    [
      [State.DONE, Operation.UNSPECIFIED, ""],
      [State.UNDONE, Operation.UNSPECIFIED, ""],
    ],
  );
});

testActions("what was done survives kill -9", async (subject, { client, services, language }) => {
  const answer = await subject.action.make(client, action);
  const late = { ...undo, key: "run-1/late/compensate", actionKey: "run-1/late/action" };
  await subject.undo.make(client, late);
  const before = await client.call(Ledger.method.list, {});

  await services.kill(language);
  await services.restart(language);
  // A fresh connection: the client's own backoff is not what is tested.
  const reconnected = new ServicesClient(services.programs[language] ?? "");
  try {
    assert.deepEqual(await reconnected.call(Ledger.method.list, {}), before);
    assert.deepEqual(await subject.action.make(reconnected, action), answer);
    await assert.rejects(
      subject.action.make(reconnected, { ...action, key: late.actionKey }),
      failsWith(ABORTED, "ACTION_UNDONE"),
    );
    await subject.undo.make(reconnected, undo);
    assert.deepEqual(await history(reconnected), [
      `DONE ${subject.action.method}`,
      `VOID ${subject.undo.method}`,
      `UNDONE ${subject.undo.method}`,
    ]);
  } finally {
    reconnected.close();
  }
});

testPrograms("the ledger tells who did what, in order", async ({ client, language }) => {
  const hosted = programs[language].services;
  const subjects = cases.filter(({ service, before }) => hosted.includes(service) && !before);
  const started = Date.now();
  for (const [index, subject] of subjects.entries()) {
    await subject.action.make(client, { ...action, key: `run-1/${index}/action` });
  }
  await client.call(Ledger.method.list, { runId: "run-2" }).then(({ records }) => {
    assert.deepEqual(records, []);
  });
  const { records } = await client.call(Ledger.method.list, {});
  const seen = records.map(({ sequence, method, operation, state, actionKey, runId }) => ({
    sequence,
    method,
    operation,
    state,
    actionKey,
    runId,
  }));
  assert.deepEqual(
    seen,
    subjects.map((subject, index) => ({
      sequence: BigInt(index + 1),
      method: subject.action.method,
      operation: Operation.ACTION,
      state: State.DONE,
      actionKey: `run-1/${index}/action`,
      runId: "run-1",
    })),
  );
  for (const { time } of records) {
    assert(time && timestampMs(time) >= started - 1000 && timestampMs(time) <= Date.now() + 1000);
  }

  await client.call(Ledger.method.reset, {});
  assert.deepEqual((await client.call(Ledger.method.list, {})).records, []);
});

testPrograms("health is told, and a watch does not hold up the end", async (program) => {
  const { language, services, client } = program;
  const { check, watch } = service("grpc.health.v1.Health").method;
  assert(check && watch);
  for (const name of ["", "ledger.v1.Ledger"]) {
    assert.deepEqual(await client.callForBytes(check, { service: name }), SERVING);
  }
  await assert.rejects(client.call(check, { service: "nobody" }), failsWith(NOT_FOUND));

  // Left open on purpose: it ends with the program.
  const watching = client.open(watch);
  watching.send({ service: "" });
  watching.end();
  await watching.next();
  const stopping = Date.now();
  await services.stop();
  assert(Date.now() - stopping < 3000, `${language} took ${Date.now() - stopping} ms to stop`);
  await watching.rest().catch(() => {});
});
