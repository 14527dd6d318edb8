/** What the page makes of a run's events is what the server reports of the run. */
import assert from "node:assert/strict";
import {
  addEvent,
  childRunId,
  emptyModel,
  recordKey,
  type RunModel,
} from "../../page/app/run/run_model.ts";
import { RunSteps } from "../../page/app/run/run_steps.ts";
import { indexSteps, openPath } from "../../page/app/run/step_paths.ts";
import { timelineRows } from "../../page/app/run/timeline_rows.ts";
import { eventJson } from "../../src/engine/event_json.ts";
import { stepTree } from "../../src/server/step_tree.ts";
import { stage, workflowOf } from "../support/engines.ts";
import { SCRIPTS, WORKFLOWS } from "./shop.ts";

const order = workflowOf(WORKFLOWS["order.yaml"] ?? "");

async function playOrder(carrier: string) {
  const { engine, clock } = stage(SCRIPTS);
  const model = emptyModel();
  try {
    const run = await engine.start(order, {
      input: {
        customer: "Ada",
        carrier,
        items: [{ sku: "a", quantity: 1 }, { sku: "b", quantity: 2 }],
      },
      onHappening: (event) => addEvent(model, JSON.parse(JSON.stringify(eventJson("r", event)))),
    });
    return {
      report: await run.result(),
      model,
      steps: new RunSteps(model, indexSteps(stepTree(order))),
    };
  } finally {
    await engine.close();
    clock.stop();
  }
}

for (const carrier of ["parcel", "nobody"]) {
  Deno.test(`steps, attempts and outputs are those of the report (${carrier})`, async () => {
    const { report, model } = await playOrder(carrier);
    assert.equal(report.status, carrier === "parcel" ? "completed" : "compensated");
    assert.ok(report.steps.length >= 9);
    for (const step of report.steps) {
      const record = model.records.get(recordKey(step.path));
      assert.equal(record?.state, step.status, step.path);
      assert.equal(record?.attempts.length, step.attempts, step.path);
      assert.deepEqual(record?.output ?? null, step.output, step.path);
      assert.equal(record?.failure?.code, step.error?.code, step.path);
      assert.equal(new Date(record?.startedAt ?? 0).toISOString(), step.started_at);
      const undo = model.records.get(recordKey(step.path, "compensate"));
      assert.equal(undo === undefined, step.compensation === null, step.path);
    }
  });
}

Deno.test("a graph's node tells of all rounds, of retries, and in which order things were undone", async () => {
  const { steps } = await playOrder("nobody");
  assert.deepEqual(steps.statusOf("label[].print"), { look: "completed", note: "2/2", undo: null });
  assert.deepEqual(steps.statusOf("checks.reserve"), {
    look: "undone",
    note: "×2",
    undo: { look: "completed", order: 2 },
  });
  assert.equal(steps.statusOf("charge").undo?.order, 1);
  assert.equal(steps.statusOf("tell").look, "not_reached");
});

Deno.test("an event that is heard twice counts once", () => {
  const model: RunModel = emptyModel();
  const event = {
    kind: "attempt_started",
    seq: 2,
    at: "2026-01-01T00:00:00Z",
    path: "a",
    attempt: 1,
  };
  addEvent(model, { kind: "step_started", seq: 1, at: event.at, path: "a", form: "call" });
  addEvent(model, event);
  addEvent(model, event);
  assert.equal(model.records.get(recordKey("a"))?.attempts.length, 1);
});

Deno.test("a bar has its attempts and the pauses between them", async () => {
  const { model, steps } = await playOrder("parcel");
  const rows = timelineRows(model, steps.index, model.endedAt ?? 0);
  const reserve = rows.find(({ path }) => path === "checks.reserve");
  assert.deepEqual(reserve?.segments.map(({ kind }) => kind), [
    "failed_attempt",
    "backoff",
    "attempt",
  ]);
  reserve?.segments.slice(1).forEach(({ from }, at) =>
    assert.equal(from, reserve.segments[at]?.to)
  );
  assert.deepEqual(rows.map(({ path }) => path).filter((path) => path.startsWith("label")), [
    "label",
    "label[0].print",
    "label[1].print",
  ]);
});

Deno.test("a call that is held back is seen to wait, before its first attempt and while there is none", () => {
  const model = emptyModel();
  const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
  const call = { path: "charge", op: "action" } as const;
  addEvent(model, { kind: "run_started", seq: 1, at: at(0), input: {} });
  addEvent(model, { kind: "step_started", seq: 2, at: at(1), form: "call", ...call });
  const kinds = () =>
    timelineRows(model, new Map(), 5_000)[0]?.segments.map((
      { kind, from, to },
    ) => [kind, from, to]);
  assert.deepEqual(kinds(), [["wait", 1_000, 5_000]]);
  addEvent(model, { kind: "attempt_started", seq: 3, at: at(3), attempt: 1, ...call });
  assert.deepEqual(kinds(), [["wait", 1_000, 3_000], ["attempt", 3_000, 5_000]]);
});

Deno.test("a run's path is found in the workflow, whatever its numbers mean", () => {
  const index = indexSteps(stepTree(order));
  assert.equal(openPath(index, "label[7].print"), "label[].print");
  assert.equal(openPath(index, "steps[4].switch[1].drive"), "steps[4].switch[1].drive");
  assert.equal(openPath(index, "label[7]"), null);
});

const CHILD = `name: child
services: { shop: { endpoint: "shop:1" } }
steps: [ { id: do, service: shop, method: Do, attempt_timeout: 1h } ]
`;

/** What a parent of this child does, and of which of its steps an operator is asked. */
const PARENTS: readonly (readonly [string, string, string])[] = [
  ["a child run", "{ id: it, workflow: child.yaml }", "it"],
  [
    "a block with a child run",
    "{ id: around, timeout: 5s, steps: [ { id: it, workflow: child.yaml } ] }",
    "around.it",
  ],
];

for (const [name, step, path] of PARENTS) {
  Deno.test(`the page knows the run that the server starts when ${name} is tried again`, async () => {
    const isBlock = path !== "it";
    const { engine, clock, world, journal } = stage({
      "shop/Pay": { answer: {} },
      "shop/Do": (_, nth) =>
        nth > 2 ? { answer: {} } : isBlock ? { hang: true } : { fail: "ABORTED" },
    });
    const model = emptyModel();
    try {
      const text = `name: parent
services: { shop: { endpoint: "shop:1" } }
steps:
  - { id: pay, service: shop, method: Pay, pivot: true }
  - ${step}
`;
      const run = await engine.start(workflowOf(text, new Map([["child.yaml", CHILD]])), {
        runId: "r",
        onHappening: (event) => addEvent(model, JSON.parse(JSON.stringify(eventJson("r", event)))),
      });
      for (let tries = 0; tries < 2; tries++) {
        const [parked] = (await run.result()).attention;
        await run.resolve({ step: parked?.step ?? "", action: "retry", reason: "again" });
      }
      assert.equal((await run.result()).status, "completed");
      const last = childRunId("r", path, model.records.get(recordKey(path))?.revision ?? 0);
      assert.equal(last, `r/${path}#3`);
      assert.equal((await journal.find(last)).runId, last);
      assert.equal(world.calls.at(-1)?.key, `${last}/do/action`);
    } finally {
      await engine.close();
      clock.stop();
    }
  });
}
