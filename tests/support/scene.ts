/**
 * One run on a stage, for tests of what the language says: a cast of services that behave as their
 * methods are called, and somebody who may step in while the run goes on.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { StoredFact } from "../../src/engine/doors.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { StartOptions } from "../../src/engine/engine_options.ts";
import type { RunReport, StepReport } from "../../src/engine/report.ts";
import type { Run } from "../../src/engine/run.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import type { JumpingClock } from "./clock.ts";
import { stage } from "./engines.ts";
import { parse } from "./parsing.ts";
import type { Behaviour, Script, World } from "./world.ts";

/** Answers with the path of its step. */
const answered = (more: { readonly after?: number } = {}): Script => ({ metadata }) => ({
  answer: { id: metadata["maestro-step"] ?? "" },
  ...more,
});

/** What the methods do, by name; a test gives its own over it. */
const CAST: Readonly<Record<string, Script>> = {
  Do: answered(),
  /** As `Do`, a second later. */
  Slow: answered({ after: 1_000 }),
  /** Did nothing, and says so. */
  Refuse: { fail: "FAILED_PRECONDITION" },
  /** May have done it. */
  Lose: { fail: "INTERNAL" },
  Hang: { hang: true },
  Undo: { answer: {} },
  /** What `verify` asks: there is none. */
  Find: { fail: "NOT_FOUND" },
};

/** How a run is set in scene. */
export interface SceneOptions extends StartOptions {
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of the workflow before its steps. */
  readonly head?: string;
  /** Of methods that are not in the cast, or behave otherwise. */
  readonly cast?: Readonly<Record<string, Script>>;
  /** Happens once the run has started. */
  readonly during?: (scene: Scene) => void | Promise<void>;
}

/** A run under way. */
export interface Scene {
  readonly run: Run;
  readonly engine: Engine;
  readonly world: World;
  readonly clock: JumpingClock;
  /** Does something so many milliseconds from now. */
  after(milliseconds: number, what: () => void): void;
}

/** What came of a run. */
export interface Played extends Omit<Scene, "after"> {
  readonly report: RunReport;
  readonly facts: readonly StoredFact[];
}

/** A workflow with these steps; `shop` is the service that the cast is. */
export function workflowWith(
  steps: string,
  { head = "", files = {} }: SceneOptions = {},
): Workflow {
  const { workflow, problems } = parse(textWith(steps, head), files);
  assert.deepEqual(problems.filter(({ severity }) => severity === "error"), []);
  assert.ok(workflow);
  return workflow;
}

/** The codes of what is wrong with these steps, warnings left out. */
export function refusals(steps: string, { head = "", files = {} }: SceneOptions = {}): string[] {
  const { problems } = parse(textWith(steps, head), files);
  return problems.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

function textWith(steps: string, head: string): string {
  const service = /^services:/m.test(head) ? "" : 'services: { shop: { endpoint: "shop:1" } }\n';
  return `name: rules\n${service}${head}\nsteps:\n${steps}\n`;
}

/** Plays a run named `r` to its end, or until it waits for an operator. */
export async function play(steps: string, options: SceneOptions = {}): Promise<Played> {
  const { cast, during, ...more } = options;
  const { engine, world, clock, journal } = stage(castOf(cast));
  try {
    const run = await engine.start(workflowWith(steps, options), {
      runId: "r",
      ...(more.input !== undefined && { input: more.input }),
      ...(more.timeout !== undefined && { timeout: more.timeout }),
    });
    const after = (milliseconds: number, what: () => void) => {
      clock.at(clock.now() + milliseconds, what);
    };
    await during?.({ run, engine, world, clock, after });
    const report = await run.result();
    const facts = await Array.fromAsync(journal.read("r"));
    return { report, world, clock, run, engine, facts };
  } finally {
    await engine.close();
    clock.stop();
  }
}

/** The scripts of a stage: the cast's, with a test's own over them. */
export function castOf(own: Readonly<Record<string, Script>> = {}): Record<string, Script> {
  return Object.fromEntries(
    Object.entries({ ...CAST, ...own }).map(([name, script]) => [
      name.includes("/") ? name : `shop/${name}`,
      script,
    ]),
  );
}

/** Behaves in these ways, one call after the other, and then always like the last. */
export function oneAfterAnother(...ways: readonly Behaviour[]): Script {
  return (_call, nth) => ways[Math.min(nth, ways.length) - 1] ?? { hang: true };
}

/** The paths of the steps that were called, in order: each call once for each attempt. */
export function called({ world }: Pick<Played, "world">): string[] {
  return world.calls.filter(({ metadata }) => metadata["maestro-op"] === "action")
    .map(({ metadata }) => metadata["maestro-step"] ?? "");
}

/** The paths of the steps that were undone, in order. */
export function undone({ world }: Pick<Played, "world">): string[] {
  return world.effects.filter((key) => key.endsWith("/compensate"))
    .map((key) => key.replace(/^r\//, "").replace(/\/compensate$/, ""));
}

/** The input of every call of a method. */
export function inputsOf({ world }: Pick<Played, "world">, method: string): unknown[] {
  return world.calls.filter((call) => call.method === `shop/${method}`).map(({ input }) => input);
}

/** What the report says of a step. */
export function stepOf({ report }: Pick<Played, "report">, path: string): StepReport {
  const step = report.steps.find((one) => one.path === path);
  assert.ok(step, `There is no step ${path} in the report`);
  return step;
}

/** How long the run took, in milliseconds. */
export function took({ report }: Pick<Played, "report">): number {
  return report.duration_ms ?? NaN;
}
