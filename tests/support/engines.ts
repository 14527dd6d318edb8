/** Engines for tests: workflows from text, journals that lose power, worlds that outlive them. */
import assert from "node:assert/strict";
import type { Journal } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineOptions, StartOptions } from "../../src/engine/engine_options.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import { JumpingClock } from "./clock.ts";
import { type Script, World } from "./world.ts";

/** A workflow from its text, and those of its children by their files' names; it must have no problems. */
export function workflowOf(text: string, files: ReadonlyMap<string, string> = new Map()): Workflow {
  const { workflow, problems } = parseWorkflow({ file: "workflow.yaml", text }, (path) => {
    const found = files.get(path);
    if (found === undefined) throw new Error(`There is no file ${path}`);
    return found;
  });
  assert.deepEqual(problems.filter(({ severity }) => severity === "error"), []);
  assert.ok(workflow);
  return workflow;
}

/** An engine over services in memory, with a clock that jumps. */
export function stage(
  scripts: Readonly<Record<string, Script>>,
  options: Partial<EngineOptions> = {},
): { engine: Engine; world: World; clock: JumpingClock; journal: Journal } {
  const clock = new JumpingClock();
  const world = new World(scripts, clock);
  const journal = options.journal ?? memoryJournal();
  const engine = new Engine({
    caller: world.caller(),
    clock,
    random: () => 0,
    ...options,
    journal,
  });
  return { engine, world, clock, journal };
}

/** Runs a workflow to its end over services in memory. */
export async function play(
  text: string,
  scripts: Readonly<Record<string, Script>>,
  options: StartOptions = {},
): Promise<{ report: RunReport; world: World; clock: JumpingClock }> {
  const { engine, world, clock } = stage(scripts);
  try {
    const run = await engine.start(workflowOf(text), { runId: "r", ...options });
    return { report: await run.result(), world, clock };
  } finally {
    await engine.close();
    clock.stop();
  }
}

/** A journal that takes so many facts in all, and then nothing more, as when the power is cut. */
export function mortalJournal(inner: Journal, facts: number): Journal {
  let left = facts;
  return {
    ...inner,
    async append(claim, more, standing) {
      const last = more.slice(0, left);
      left -= last.length;
      const isCut = last.length < more.length;
      await inner.append(claim, last, isCut ? undefined : standing);
      if (isCut || left === 0) throw new Error("The power is cut");
    },
    close: () => Promise.resolve(), // the disk outlives the process
  };
}
