/**
 * What must hold of every run, wherever it was cut: what services saw undone, against what the
 * journals say came about, and in which order. Knows nothing of time.
 */
import assert from "node:assert/strict";
import type { StoredFact } from "../../../src/engine/doors.ts";
import type { Played } from "./play.ts";
import { everyStep, type Step, type Tree } from "./tree.ts";

/** Something that happened or may have, by the journal. */
interface Effect {
  readonly path: string;
  readonly step: Step;
}

/** What is undone in one go: for a `catch`, or for a whole run. */
interface Phase {
  readonly whole: boolean;
  /** The last first. */
  readonly effects: readonly Effect[];
}

interface Life {
  readonly phases: readonly Phase[];
  /** What happened, or may have, and was never to be undone. */
  readonly standing: readonly Effect[];
  readonly passed: boolean;
}

/** Checks one run with its children. */
export function judge(tree: Tree, played: Played): void {
  new Judge(tree, played).check();
}

class Judge {
  readonly #played: Played;
  readonly #steps: ReadonlyMap<string, Step>;
  readonly #lives = new Map<string, Life>();
  /** Paths with their runs' ids, in the order in which their undoing began. */
  readonly #undone: readonly string[];
  /** What an operator skipped or aborted, likewise. */
  readonly #left = new Set<string>();
  #aborted = false;

  constructor(tree: Tree, played: Played) {
    this.#played = played;
    this.#steps = new Map(everyStep(tree.steps).map((step) => [step.id, step]));
    for (const [id, facts] of played.facts) {
      for (const { kind, op, path, action } of facts) {
        if (kind !== "attention_resolved" || op !== "compensate" || action === "retry") continue;
        this.#left.add(`${id}/${undoneBy(String(path))}`);
        this.#aborted ||= action === "abort";
      }
      this.#lives.set(id, this.#live(facts));
    }
    const keys = played.world.calls.map(({ key }) => key).filter((key) =>
      /compensate(#|$)/.test(key)
    );
    this.#undone = [...new Set(keys.map(undoneBy))];
  }

  check(): void {
    const { report, world, facts } = this.#played;
    const root = this.#lives.get("r");
    assert.ok(root);
    const statuses = ["completed", "failed", "compensated", "cancelled", "timed_out", "incomplete"];
    assert.ok(statuses.includes(report.status), report.status);
    assert.ok(report.steps.every(({ status }) => status !== "running"), "a step still runs");

    const effects = world.effects.map((key) => key.replace(/#\d+$/, ""));
    assert.equal(new Set(effects).size, effects.length, "something happened twice");

    const planned = new Set<string>();
    for (const [id, { phases }] of this.#lives) {
      for (const phase of phases) {
        if (phase.whole && facts.get(id)?.some(isRolledBackByParent)) continue; // is in its parent's
        const paths = this.#inOrder(id, phase);
        for (const path of paths) planned.add(path);
        this.#checkPhase(paths);
      }
    }
    for (const path of this.#undone) {
      assert.ok(planned.has(path), `${path} was undone for no reason`);
    }

    for (const [id, { passed, phases }] of this.#lives) {
      // A `catch` that undoes is the author's own word, also about a child run.
      if (passed && !facts.get(id)?.some(isRolledBackByParent)) {
        assert.ok(phases.every(({ whole }) => !whole), `${id} turned back past its pivot`);
      }
    }
    const turnedBack = root.phases.some(({ whole }) => whole);
    if (report.status === "completed") assert.ok(!turnedBack);
    if (["failed", "compensated", "cancelled", "timed_out"].includes(report.status)) {
      assert.deepEqual(root.standing, [], "something stands that was to be undone");
      assert.ok(
        !root.phases.some(({ effects }) => effects.some(({ path }) => this.#left.has(`r/${path}`))),
      );
    }
    if (report.status === "failed") {
      assert.ok(
        root.phases.every(({ effects }) => effects.length === 0),
        "it had something to undo",
      );
    }
    this.#checkHappened();
  }

  /** Whatever a service did, and can undo, is known to have happened, or may have. */
  #checkHappened(): void {
    const { world } = this.#played;
    const known = new Set(
      [...this.#lives].flatMap(([id, { phases, standing }]) =>
        [...phases.flatMap(({ effects }) => effects), ...standing].map(({ path }) =>
          `${id}/${path}`
        )
      ),
    );
    const denied = new Set<string>();
    for (const [id, facts] of this.#played.facts) {
      for (const { kind, op, path } of facts) {
        if (kind === "step_failed" && op === "verify") denied.add(`${id}/${path}`);
      }
    }
    for (const key of world.effects) {
      const path = key.replace(/\/action$/, "");
      const step = this.#stepAt(path);
      if (path === key || step?.kind !== "call" || step.undo === null || denied.has(path)) continue;
      assert.ok(known.has(path), `${path} happened, and nobody knows`);
    }
  }

  /** In the order that is planned; what was not begun was left by an operator. */
  #checkPhase(paths: readonly string[]): void {
    const begun = paths.filter((path) => this.#undone.includes(path));
    assert.deepEqual(this.#undone.filter((path) => paths.includes(path)), begun);
    const missing = paths.filter((path) => !this.#undone.includes(path));
    assert.ok(
      this.#aborted || missing.every((path) => this.#left.has(path)),
      `nobody undid ${missing.join()}`,
    );
  }

  /** The paths of a phase, a child's own in the child's place. */
  #inOrder(id: string, { effects }: Phase): string[] {
    return effects.flatMap(({ path, step }) => {
      if (step.kind !== "workflow" || step.undo !== null) return [`${id}/${path}`];
      const child = `${id}/${path}`;
      const whole = this.#lives.get(child)?.phases.find((phase) => phase.whole);
      return whole === undefined ? [] : this.#inOrder(child, whole);
    });
  }

  #stepAt(path: string): Step | undefined {
    return this.#steps.get(path.split(/[./]/).at(-1) ?? "");
  }

  /** What one run's journal says. */
  #live(facts: readonly StoredFact[]): Life {
    const attempts = new Map<string, string[]>();
    const denied = new Set<string>();
    const ended = new Set<string>();
    const phases: Phase[] = [];
    let standing: Effect[] = [];
    let passed = false;
    const takeOut = (whole: boolean, within: (path: string) => boolean) => {
      const effects = standing.filter(({ path }) => within(path)).toReversed();
      standing = standing.filter(({ path }) => !within(path));
      phases.push({ whole, effects });
    };
    for (const fact of facts) {
      const { kind, op, attempt, outcome } = fact;
      if (kind === "rollback_started") takeOut(true, () => true);
      const path = String(fact["path"] ?? "");
      const step = this.#stepAt(path);
      if (kind === "step_failed" && op === "verify") denied.add(path);
      if (op !== "action" || step === undefined) continue;
      const outcomes = attempts.get(path) ?? [];
      attempts.set(path, outcomes);
      if (kind === "attempt_started") outcomes[Number(attempt) - 1] = "unknown";
      if (kind === "attempt_ended") outcomes[Number(attempt) - 1] = String(outcome);
      if (ENDS.has(kind) && !ended.has(path)) {
        if (kind === "attention_resolved" && fact["action"] === "retry") continue;
        ended.add(path);
        const happened = kind === "step_completed" || step.kind === "call" && !denied.has(path) &&
            outcomes.includes("unknown");
        const undoes = step.kind === "workflow" || step.kind === "call" && step.undo !== null;
        if (happened && undoes) standing.push({ path, step });
        passed ||= happened && step.kind === "call" && step.pivot;
      }
      if (kind === "step_caught" && step.catch[Number(fact["entry"])]?.undo === true) {
        takeOut(false, (inner) => isWithin(inner, path));
      }
    }
    return { phases, standing, passed };
  }
}

const ENDS: ReadonlySet<string> = new Set([
  "step_completed",
  "step_failed",
  "step_cancelled",
  "step_caught",
  "attention_resolved",
]);

/** The path of what a compensation, or a step of one, undoes. */
function undoneBy(key: string): string {
  return key.replace(/\/compensate(#\d+)?$/, "").replace(/\.compensate\[\d+\]$/, "");
}

function isRolledBackByParent({ kind, reason }: StoredFact): boolean {
  return kind === "rollback_started" && reason === "parent";
}

function isWithin(path: string, around: string): boolean {
  return path === around || path.startsWith(`${around}.`) || path.startsWith(`${around}[`);
}
