/**
 * What a run's facts say took its time: the run, its steps, their attempts, its rollback. Spans and
 * durations are made of these.
 *
 * @module
 */
import type { Fact, Form, Op } from "../machines/facts.ts";
import { recordKey } from "../machines/records.ts";
import { attemptKey, rollbackKey, runKey, stepKey } from "./trace_ids.ts";

/** Something that has ended. */
export interface Episode {
  readonly of: "run" | "rollback" | "step" | "attempt";
  /** Tells it apart within its trace. */
  readonly key: string;
  /** The key of what is around it; `null`: what is around the run. */
  readonly around: string | null;
  /** The step's path; `""` of the run. */
  readonly path: string;
  readonly op: Op;
  /** What the step is, where it takes its time. */
  readonly form: Form | null;
  /** The attempt's number; of a step, how many it took. */
  readonly attempts: number;
  /** In milliseconds since the epoch; `null`: before what is known. */
  readonly from: number | null;
  readonly to: number;
  /** How it ended: `completed`, `failed`, `cancelled`, …; an attempt's gRPC code. */
  readonly status: string;
  /** What it failed with; `null`: it did not. */
  readonly code: string | null;
  /** What happened in it. */
  readonly marks: readonly Mark[];
}

/** Something that happened at a moment of an episode. */
export interface Mark {
  readonly name: string;
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** OpenTelemetry's own limit. */
const MOST_MARKS = 128;

/** A step under way. */
interface Open {
  readonly path: string;
  readonly op: Op;
  readonly form: Form | null;
  readonly from: number;
  readonly around: string;
  attempts: number;
  attemptFrom: number | null;
  readonly marks: Mark[];
}

/** Facts of one run to its episodes, in the order of the facts. */
export class RunEpisodes {
  readonly #runId: string;
  readonly #open = new Map<string, Open>();
  #from: number | null = null;
  #rollback: { readonly from: number } | null = null;
  /** It has ended before: a child run that is rolled back with its parent. */
  #isReopened = false;
  #marks: Mark[] = [];

  constructor(runId: string) {
    this.#runId = runId;
  }

  /** Hears a fact. @returns what has ended with it */
  hear(fact: Fact): readonly Episode[] {
    if ("path" in fact && fact.path === "") return []; // the root block is the run
    switch (fact.kind) {
      case "run_started":
        this.#from = fact.at;
        return [];
      case "step_started":
        this.#begin(fact, fact.form ?? null);
        return [];
      case "attempt_started":
        this.#startAttempt(fact);
        return [];
      case "attempt_ended":
        return this.#endAttempt(fact);
      case "step_completed":
        return this.#end(fact, "completed", null);
      case "step_failed":
        return this.#end(fact, "failed", fact.failure.code);
      case "step_cancelled":
        return this.#end(fact, "cancelled", null);
      case "step_doubted":
        return this.#mark(fact, "in doubt", { code: fact.failure.code });
      case "step_caught":
        return this.#mark(fact, "caught", { code: fact.failure.code });
      case "attention_raised":
        return this.#mark(fact, "waits for an operator", { code: fact.failure.code });
      case "attention_resolved":
        return this.#mark(fact, "resolved by an operator", { action: fact.action });
      case "cancel_requested":
        return this.#mark(fact, "cancel requested", { reason: fact.reason });
      case "pivot_passed":
        return this.#mark(fact, "pivot passed", {});
      case "signal_received":
        return this.#mark(fact, "signal received", { signal: fact.name });
      case "rollback_started":
        this.#rollback = { from: fact.at };
        return [];
      case "run_ended":
        return this.#endRun(fact);
      default:
        return [];
    }
  }

  #begin({ path, op, at }: Fact & { path: string; op: Op }, form: Form | null): Open {
    const around = this.#around(path, op);
    const open: Open = {
      path,
      op,
      form,
      from: at,
      around,
      attempts: 0,
      attemptFrom: null,
      marks: [],
    };
    this.#open.set(recordKey(path, op), open);
    return open;
  }

  /** The nearest step around that is under way; what undoes steps is in the rollback. */
  #around(path: string, op: Op): string {
    const own = op === "verify" ? [path, ...pathsAround(path)] : pathsAround(path);
    for (const outer of own) {
      for (const outerOp of OPS) {
        if (this.#open.has(recordKey(outer, outerOp))) {
          return stepKey(this.#runId, outer, outerOp);
        }
      }
    }
    if (op === "compensate" && this.#rollback !== null) return rollbackKey(this.#runId);
    return runKey(this.#runId);
  }

  #startAttempt({ path, op, attempt, at }: Extract<Fact, { kind: "attempt_started" }>): void {
    const open = this.#open.get(recordKey(path, op));
    if (open === undefined) return; // it began before what is known
    open.attempts = attempt;
    open.attemptFrom = at;
  }

  #endAttempt(fact: Extract<Fact, { kind: "attempt_ended" }>): readonly Episode[] {
    const open = this.#open.get(recordKey(fact.path, fact.op));
    const from = open?.attemptFrom ?? null;
    if (open !== undefined) open.attemptFrom = null;
    return [this.#attempt(fact, fact.attempt, from, fact.code)];
  }

  #attempt(
    { path, op, at }: { readonly path: string; readonly op: Op; readonly at: number },
    attempt: number,
    from: number | null,
    status: string,
  ): Episode {
    return {
      of: "attempt",
      key: attemptKey(this.#runId, path, op, attempt),
      around: stepKey(this.#runId, path, op),
      path,
      op,
      form: null,
      attempts: attempt,
      from,
      to: at,
      status,
      code: status === "OK" ? null : status,
      marks: [],
    };
  }

  #end(
    fact: Fact & { path: string; op: Op },
    status: string,
    code: string | null,
  ): readonly Episode[] {
    const { path, op, at } = fact;
    const key = recordKey(path, op);
    const open = this.#open.get(key);
    this.#open.delete(key);
    const step: Episode = {
      of: "step",
      key: stepKey(this.#runId, path, op),
      around: open?.around ?? this.#around(path, op),
      path,
      op,
      form: open?.form ?? null,
      attempts: open?.attempts ?? 0,
      from: open?.from ?? null,
      to: at,
      status,
      code,
      marks: open?.marks ?? [],
    };
    const inFlight = open?.attemptFrom ?? null;
    if (open === undefined || inFlight === null) return [step];
    // Nobody heard how the call ended that was under way.
    return [this.#attempt(fact, open.attempts, inFlight, "CANCELLED"), step];
  }

  #endRun(fact: Extract<Fact, { kind: "run_ended" }>): readonly Episode[] {
    const ended: Episode[] = [];
    const { status, at } = fact;
    const common = { path: "", op: "action", form: null, attempts: 0, to: at, status } as const;
    if (this.#rollback !== null) {
      ended.push({
        ...common,
        of: "rollback",
        key: rollbackKey(this.#runId),
        around: runKey(this.#runId),
        from: this.#rollback.from,
        code: null,
        marks: [],
      });
    }
    if (!this.#isReopened) {
      ended.push({
        ...common,
        of: "run",
        key: runKey(this.#runId),
        around: null,
        from: this.#from,
        code: status === "completed" ? null : fact.failure?.code ?? status.toUpperCase(),
        marks: this.#marks,
      });
    }
    this.#isReopened = true;
    this.#rollback = null;
    this.#marks = [];
    return ended;
  }

  #mark(fact: Fact, name: string, attributes: Record<string, string>): readonly Episode[] {
    const key = "path" in fact ? recordKey(fact.path, fact.op) : null;
    const marks = (key === null ? undefined : this.#open.get(key)?.marks) ?? this.#marks;
    if (marks.length < MOST_MARKS) marks.push({ name, at: fact.at, attributes });
    return [];
  }
}

const OPS = ["action", "compensate", "verify"] as const;

/** `a.b[2].c` is in `a.b[2]`, that in `a.b`, and that in `a`. */
function* pathsAround(path: string): Generator<string> {
  for (let at = path.length - 1; at > 0; at--) {
    if (path[at] === "." || path[at] === "[") yield path.slice(0, at);
  }
}
