/** What `explainRollback` says is what a run does: each step is made to fail, and what follows is compared. */
import assert from "node:assert/strict";
import type { Fact } from "../../src/machines/facts.ts";
import type { Run } from "../../src/engine/run.ts";
import { findStep } from "../../src/cli/find_step.ts";
import { explainRollback, type FailingStep } from "../../src/workflow/explain_rollback.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import type { Undoing } from "../../src/workflow/undoing.ts";
import { stage } from "../support/engines.ts";
import { valid } from "../support/parsing.ts";
import { SAGA_FILES, SAGAS, sagaText } from "../support/sagas.ts";
import type { Script } from "../support/world.ts";

const CODES = ["FAILED_PRECONDITION", "NOT_FOUND", "UNAVAILABLE"];

/** Where a run's path stands in the workflow: `ship[3].label` is `ship[].label`. */
function placeIn(workflow: Workflow, path: string): string {
  const step = findStep(workflow, path)?.step;
  assert.ok(step, `"${path}" is no step`);
  return step.path;
}

interface Happened {
  readonly failed: boolean;
  readonly status: string;
  /** The steps that were undone, by their paths in the run, in order. */
  readonly undone: readonly string[];
  readonly caught: readonly Extract<Fact, { kind: "step_caught" }>[];
  readonly unknown: boolean;
}

/** Runs a workflow whose step at `failing`, a path in the workflow, fails from one of its rounds on. */
async function run(
  workflow: Workflow,
  failing: string,
  round: number,
  code: string,
  yes: boolean,
): Promise<Happened> {
  // A step of a catch is only reached where what that is around fails.
  const [owner = "", handler] = failing.split(".catch[");
  const before = handler === undefined ? "" : `${owner}.c`;
  let reached = -1;
  const act: Script = ({ metadata }, nth) => {
    const { "maestro-run-id": runId, "maestro-step": step = "" } = metadata;
    const place = runId === "r" ? placeIn(workflow, step) : "";
    if (place !== "" && place === before) return { fail: "FAILED_PRECONDITION" };
    const isHere = place === failing && ++reached >= round;
    return isHere ? { fail: code } : { answer: { id: "1" }, after: nth % 3 };
  };
  const { engine, clock } = stage({
    "s/Do": act,
    "s/Undo": { answer: {} },
    "s/Find": { fail: "NOT_FOUND" },
    "s/Poll": (_, nth) => ({ answer: { done: nth >= 3 } }),
  });
  try {
    const started = await engine.start(workflow, { runId: "r", input: { yes } });
    const report = await started.result();
    const facts = await factsOf(started);
    // What a catch undoes comes before the rollback, which does not do it again.
    const back = facts.findIndex(({ kind }) => kind === "rollback_started");
    const undone = facts.slice(Math.max(0, back)).flatMap((fact) =>
      fact.kind === "step_started" && fact.op === "compensate" &&
        !fact.path.includes(".compensate[")
        ? [fact.path]
        : []
    );
    const caught = facts.filter((fact) => fact.kind === "step_caught");
    const unknown = report.steps.some(({ path, status, outcome }) =>
      placeIn(workflow, path) === failing && status === "failed" && outcome === "unknown"
    );
    return { failed: reached >= round, status: report.status, undone, caught, unknown };
  } finally {
    await engine.close();
    clock.stop();
  }
}

async function factsOf(started: Run): Promise<readonly Fact[]> {
  const stored = await Array.fromAsync(started.facts());
  return stored as unknown as Fact[]; // only paths and kinds are looked at, which are plain
}

/** How far in `undone` these may have come, from `from` on: the ends of every way to read it. */
function ends(plan: readonly Undoing[], undone: readonly string[], from: Set<number>): Set<number> {
  let at = from;
  for (const each of plan) {
    at = new Set([...at].flatMap((start) => [...endsOf(each, undone, start)]));
  }
  return at;
}

function endsOf(each: Undoing, undone: readonly string[], from: number): Set<number> {
  switch (each.kind) {
    case "step":
    case "child": {
      const found = undone[from] === each.step ? [from + 1] : [];
      return new Set(each.when === "done" ? found : [from, ...found]);
    }
    case "one_of":
      return new Set([
        from,
        ...each.ways.flatMap((way) => [...ends(way, undone, new Set([from]))]),
      ]);
    case "rounds": {
      if (each.order === "last_completed_first") return anyOrder([each], undone, from);
      const all = new Set([from]);
      for (let added = new Set([from]); added.size > 0;) {
        added = new Set([...ends(each.undo, undone, added)].filter((end) => !all.has(end)));
        for (const end of added) all.add(end);
      }
      return all;
    }
    case "branches":
      return anyOrder(each.branches.flat(), undone, from);
  }
}

/** Side by side: all that must be there is, whatever the order, and nothing else; rounds say it again. */
function anyOrder(group: readonly Undoing[], undone: readonly string[], from: number): Set<number> {
  const members = group.flatMap((each) => stepsOf(each));
  const repeats = new Set(
    group.filter(({ kind }) => kind === "rounds").flatMap((each) => stepsOf(each))
      .map(({ step }) => step),
  );
  const known = new Set(members.map(({ step }) => step));
  const must = new Set(members.filter(({ when }) => when === "done").map(({ step }) => step));
  const found = new Set<number>();
  const seen = new Set<string>();
  for (let end = from; end <= undone.length; end++) {
    if ([...must].every((step) => seen.has(step))) found.add(end);
    const next = undone[end] ?? "";
    if (!known.has(next) || !repeats.has(next) && seen.has(next)) break;
    seen.add(next);
  }
  return found;
}

interface Member {
  readonly step: string;
  readonly when: string;
  readonly reads: string | null;
}

function stepsOf(each: Undoing): readonly Member[] {
  switch (each.kind) {
    case "step":
      return [each];
    case "child":
      return [{ ...each, reads: null }];
    case "rounds":
      return each.undo.flatMap(stepsOf).map((member) => ({ ...member, when: "perhaps" }));
    case "branches":
      return each.branches.flat().flatMap(stepsOf);
    case "one_of":
      return each.ways.flat().flatMap(stepsOf).map((member) => ({ ...member, when: "perhaps" }));
  }
}

function check(workflow: Workflow, said: FailingStep, happened: Happened): void {
  const undone = happened.undone.map((path) => placeIn(workflow, path));
  const told = JSON.stringify({ happened, said });
  const [taken] = happened.caught;
  const waits = happened.status === "needs_attention";
  if (taken !== undefined && happened.status === "completed") {
    const entry = said.caught.find(({ step, entry }) =>
      step === placeIn(workflow, taken.path) && entry === taken.entry
    );
    assert.ok(entry, `It does not say who takes it: ${told}`);
    const plan = entry.undo ?? [];
    assert.ok(ends(plan, undone, new Set([0])).has(undone.length), told);
    return;
  }
  assert.notEqual(said.end, "goes_on", told);
  if (waits && undone.length === 0) return assert.match(said.end, /waits/, told);
  assert.match(said.end, /rolls_back/, told);
  const last = undone.at(-1);
  const stuck = said.undo.findIndex((each) =>
    stepsOf(each).some(({ step, reads }) => step === last && reads !== null)
  );
  // Where a compensation can't be made, the later ones wait.
  const plan = waits ? said.undo.slice(0, stuck + 1) : said.undo;
  assert.ok(ends(plan, undone, new Set([0])).has(undone.length), told);
  // What is in doubt is undone, and nothing comes before it that it does not run beside.
  if (happened.unknown && said.undo.flatMap(stepsOf).some(({ when }) => when === "unknown")) {
    assert.ok(undone.includes(said.step), told);
  }
}

for (const [shape, steps] of Object.entries(SAGAS)) {
  Deno.test(`what would be undone is what is undone: ${shape}`, async () => {
    const workflow = valid(sagaText(steps), SAGA_FILES);
    const calls = explainRollback(workflow).filter(({ step }) => {
      const found = findStep(workflow, step)?.step;
      return found?.kind === "call" && found.method === "Do";
    });
    assert.ok(calls.length > 0);
    for (const said of calls) {
      const rounds = said.step.includes("[]") ? [0, 1, 2] : [0];
      let reached = false;
      for (const round of rounds) {
        for (const code of CODES) {
          for (const yes of [true, false]) {
            const happened = await run(workflow, said.step, round, code, yes);
            if (happened.failed) check(workflow, said, happened);
            reached ||= happened.failed;
          }
        }
      }
      assert.ok(reached, said.step);
    }
  });
}

Deno.test("a reader of the plan finds an order that was not followed, and what was left out", () => {
  const step = (name: string, when: "done" | "perhaps" = "done"): Undoing => ({
    kind: "step",
    step: name,
    by: [],
    when,
    reads: null,
  });
  const reads = (plan: readonly Undoing[], ...undone: string[]) =>
    ends(plan, undone, new Set([0])).has(undone.length);
  assert.ok(reads([step("b"), step("a")], "b", "a"));
  assert.ok(!reads([step("b"), step("a")], "a", "b"));
  assert.ok(!reads([step("b"), step("a")], "b"));
  assert.ok(reads([step("b", "perhaps"), step("a")], "a"));
});
