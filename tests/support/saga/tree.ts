/** Workflows as plain trees, from which both the text for the engine and the model's story are made. */
import type { Json } from "../../../src/workflow/json.ts";

/** What every step may carry. */
export interface Base {
  readonly id: string;
  readonly when: boolean | null;
  /** In milliseconds; `Infinity`: none. */
  readonly timeout: number;
  readonly catch: readonly Entry[];
  readonly needs: readonly string[];
}

/** One entry of a `catch`. */
export interface Entry {
  /** Empty: any. */
  readonly codes: readonly string[];
  /** Takes only failures of this outcome; `null`: any. */
  readonly outcome: string | null;
  readonly undo: boolean;
  readonly steps: readonly Step[];
}

/** How a call is undone. */
export type Undo =
  | { readonly kind: "call"; /** Its input reads the step's output. */ readonly reads: boolean }
  | { readonly kind: "steps"; readonly count: number };

export interface Call extends Base {
  readonly kind: "call";
  readonly undo: Undo | null;
  readonly verify: boolean;
  readonly pivot: boolean;
  readonly idempotent: boolean;
  readonly attempts: number;
  readonly retryDelay: number;
  readonly attemptTimeout: number;
  /** Its request can't be made. */
  readonly misfit: boolean;
}

export interface Parallel extends Base {
  readonly kind: "parallel";
  readonly branches: readonly Step[];
  /** `Infinity`: all at once. */
  readonly concurrency: number;
  readonly finish: boolean;
}

export interface Foreach extends Base {
  readonly kind: "foreach";
  readonly items: number;
  readonly concurrency: number;
  readonly finish: boolean;
  readonly steps: readonly Step[];
}

export interface Repeat extends Base {
  readonly kind: "repeat";
  readonly steps: readonly Step[];
  /** The round after which `until` is true. */
  readonly enough: number;
  readonly most: number;
  readonly every: number;
}

export interface Child extends Base {
  readonly kind: "workflow";
  readonly tree: Tree;
  readonly undo: Undo | null;
}

export type Step =
  | Call
  | Parallel
  | Foreach
  | Repeat
  | Child
  | Base & { readonly kind: "steps"; readonly steps: readonly Step[] }
  | Base & { readonly kind: "switch"; readonly branches: readonly Branch[] }
  | Base & { readonly kind: "wait"; readonly duration: number }
  | Base & { readonly kind: "set" }
  | Base & { readonly kind: "fail"; readonly code: string }
  | Base & { readonly kind: "return" };

export interface Branch {
  readonly when: boolean | null;
  readonly steps: readonly Step[];
}

/** A whole workflow. */
export interface Tree {
  readonly name: string;
  readonly timeout: number;
  readonly steps: readonly Step[];
}

/** How compensations and verifications are tried again, and one attempt's time; in milliseconds. */
export const PATIENCE = {
  initial: 1_000_003,
  multiplier: 2,
  most: 7_000_001,
  giveUpAfter: 900_000_007,
  attemptTimeout: 2_000_000_011,
};

/** A call that an operator may have tried again once it is parked: it parks as itself, and may then succeed. */
export function isRetriable(step: Step): boolean {
  return step.kind === "call" && !step.misfit && step.catch.length === 0;
}

/** The ids of all such calls. */
export function retriable(tree: Tree): ReadonlySet<string> {
  return new Set(everyStep(tree.steps).filter(isRetriable).map(({ id }) => id));
}

/** All steps, also of children. */
export function everyStep(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [
    step,
    ...everyStep(step.catch.flatMap((entry) => entry.steps)),
    ...everyStep(stepsIn(step)),
  ]);
}

function stepsIn(step: Step): readonly Step[] {
  switch (step.kind) {
    case "steps":
    case "foreach":
    case "repeat":
      return step.steps;
    case "parallel":
      return step.branches;
    case "switch":
      return step.branches.flatMap(({ steps }) => steps);
    case "workflow":
      return step.tree.steps;
    default:
      return [];
  }
}

const ms = (milliseconds: number) => `${milliseconds}ms`;

type Written = { [key: string]: Json };

/** The text of a workflow, and of its children by their files' names. */
export function textsOf(
  tree: Tree,
): { readonly text: string; readonly files: Map<string, string> } {
  const files = new Map<string, string>();
  return { text: textOf(tree, files), files };
}

function textOf(tree: Tree, files: Map<string, string>): string {
  const { initial, multiplier, most, giveUpAfter, attemptTimeout } = PATIENCE;
  return JSON.stringify({
    name: tree.name,
    ...(tree.timeout < Infinity && { timeout: ms(tree.timeout) }),
    saga: {
      retry: {
        backoff: "exponential",
        initial_delay: ms(initial),
        multiplier,
        max_delay: ms(most),
        jitter: 0,
      },
      give_up_after: ms(giveUpAfter),
    },
    services: {
      shop: {
        endpoint: "shop:1",
        attempt_timeout: ms(attemptTimeout),
        circuit_breaker: false,
        pool: { max_concurrent: 1000 },
      },
    },
    steps: written(tree.steps, files),
    output: {},
  });
}

function written(steps: readonly Step[], files: Map<string, string>): Written[] {
  return steps.map((step) => writtenStep(step, files));
}

function writtenStep(step: Step, files: Map<string, string>): Written {
  return {
    id: step.id,
    ...(step.when !== null && { when: `{{ ${step.when} }}` }),
    ...(step.timeout < Infinity && { timeout: ms(step.timeout) }),
    ...(step.needs.length > 0 && { needs: [...step.needs] }),
    ...(step.catch.length > 0 && { catch: step.catch.map((entry) => writtenEntry(entry, files)) }),
    ...form(step, files),
  };
}

function writtenEntry({ codes, outcome, undo, steps }: Entry, files: Map<string, string>): Written {
  return {
    ...(codes.length > 0 && { codes: [...codes] }),
    ...(outcome !== null && { when: `{{ .error.outcome == '${outcome}' }}` }),
    ...(undo && { undo }),
    ...(steps.length > 0 && { steps: written(steps, files) }),
    result: {},
  };
}

function form(step: Step, files: Map<string, string>): Written {
  switch (step.kind) {
    case "call":
      return writtenCall(step);
    case "steps":
      return { steps: written(step.steps, files) };
    case "parallel":
      return {
        parallel: written(step.branches, files),
        ...(step.concurrency < Infinity && { concurrency: step.concurrency }),
        on_failure: step.finish ? "finish" : "cancel",
      };
    case "foreach":
      return {
        foreach: Array.from({ length: step.items }, (_, index) => index),
        as: `${step.id}_item`,
        concurrency: step.concurrency,
        on_failure: step.finish ? "finish" : "cancel",
        steps: written(step.steps, files),
      };
    case "repeat": {
      const count = `${step.id}_count`;
      const counted = { set: { [count]: `{{ default(.${count}, 0.0) + 1.0 }}` } };
      return {
        repeat: [...written(step.steps, files), counted],
        until: `{{ .${count} >= ${step.enough}.0 }}`,
        ...(step.every > 0 && { every: ms(step.every) }),
        max_rounds: step.most,
      };
    }
    case "switch":
      return {
        switch: step.branches.map(({ when, steps }) => ({
          ...(when !== null && { when: `{{ ${when} }}` }),
          steps: written(steps, files),
        })),
      };
    case "wait":
      return { wait: ms(step.duration) };
    case "set":
      return { set: { [`${step.id}_value`]: 1 } };
    case "fail":
      return { fail: { code: step.code, message: "It fails" } };
    case "return":
      return { return: {} };
    case "workflow": {
      const file = `${step.tree.name}.yaml`;
      files.set(file, textOf(step.tree, files));
      return {
        workflow: `./${file}`,
        ...(step.undo && { compensate: writtenUndo(step.undo, step.id) }),
      };
    }
  }
}

function writtenCall(step: Call): Written {
  return {
    service: "shop",
    method: "Do",
    input: step.misfit ? { no_such_field: 1 } : { id: step.id },
    attempt_timeout: ms(step.attemptTimeout),
    retry: {
      attempts: step.attempts,
      backoff: "constant",
      initial_delay: ms(step.retryDelay),
      max_delay: ms(step.retryDelay),
      jitter: 0,
    },
    idempotent: step.idempotent,
    ...(step.undo && { compensate: writtenUndo(step.undo, step.id) }),
    ...(step.verify && { verify: { method: "Ask", input: { id: step.id } } }),
    ...(step.pivot && { pivot: true }),
  };
}

function writtenUndo(undo: Undo, id: string): Written {
  const call = (input: Written): Written => ({ service: "shop", method: "Undo", input });
  return undo.kind === "call"
    ? call(undo.reads ? { id: `{{ .${id}.v }}` } : { id })
    : { steps: Array.from({ length: undo.count }, () => call({ id })) };
}
