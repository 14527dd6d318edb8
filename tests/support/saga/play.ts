/** Plays a random workflow on a real engine, over services in memory. */
import { setImmediate } from "node:timers";
import type { StoredFact } from "../../../src/engine/doors.ts";
import { Engine } from "../../../src/engine/engine.ts";
import type { RunReport } from "../../../src/engine/report.ts";
import type { Run } from "../../../src/engine/run.ts";
import { memoryJournal } from "../../../src/store/memory.ts";
import { FakeClock } from "../clock.ts";
import { mortalJournal, workflowOf } from "../engines.ts";
import { type Behaviour, type SeenCall, World } from "../world.ts";
import {
  type Decision,
  type Outside,
  RETRY_CHOICES,
  SKIP_CHOICES,
  UNDO_CHOICES,
} from "./behaviour.ts";
import { retriable, textsOf, type Tree } from "./tree.ts";

/** What happens to a run besides what its workflow says; `Infinity`: never. */
export interface Fate {
  /** When somebody cancels it. */
  readonly cancelAt: number;
  /** When its process ends, with everything written, and another goes on. */
  readonly restartAt: number;
  /** After how many facts the power is cut, and another process goes on. */
  readonly cutAfter: number;
}

/** What came of it. */
export interface Played {
  readonly report: RunReport;
  readonly world: World;
  /** Of the run and of its children, by their ids. */
  readonly facts: ReadonlyMap<string, readonly StoredFact[]>;
  readonly end: number;
}

const MOST_TURNS = 20_000;

/** Plays a workflow to its end. */
export async function play(tree: Tree, outside: Outside, fate: Fate): Promise<Played> {
  const clock = new FakeClock(0);
  const behave = (call: SeenCall): Behaviour => {
    const { code, unsent, duration } = outside.reply(call.key, call.attempt);
    if (code === "HANG") return { hang: true };
    if (code === "OK") return { answer: { v: 1 }, after: duration };
    return { fail: code, after: duration, ...(unsent && { outcome: "not_sent" as const }) };
  };
  const world = new World({ "shop/Do": behave, "shop/Undo": behave, "shop/Ask": behave }, clock);
  const disk = memoryJournal();
  const ids = new Set<string>();
  const parks = new Map<string, number>();
  let run: Run | undefined;

  const retried = retriable(tree);
  const choices = (step: string, op: string): readonly Decision[] => {
    if (op === "verify") return ["retry"];
    if (op === "compensate") return UNDO_CHOICES;
    return retried.has(step.split(/[./]/).at(-1) ?? "") ? RETRY_CHOICES : SKIP_CHOICES;
  };
  /** An operator who never sleeps. */
  const decide = async (step: string, op: string) => {
    const key = `r/${step}/${op}`;
    const nth = parks.get(key) ?? 0;
    const action = outside.decision(key, nth, choices(step, op));
    try {
      await run?.resolve({
        step,
        op: op as "action", // as the report has it
        action: action === "input" ? "retry" : action,
        ...(action === "input" && { input: { id: "changed" } }),
        reason: "an operator said so",
      });
      parks.set(key, nth + 1);
    } catch { /* its process has ended, or what was decided before has settled it */ }
  };
  const open = (journal: typeof disk) =>
    new Engine({
      caller: world.caller(),
      journal,
      clock,
      random: () => 0,
      onHappening: (runId) => ids.add(runId),
    });

  const { text, files } = textsOf(tree);
  let died = false;
  const mortal = mortalJournal(disk, fate.cutAfter);
  let engine = open({
    ...mortal,
    append: (claim, facts, standing) =>
      mortal.append(claim, facts, standing).catch((thrown: unknown) => {
        died = true; // also where the run rested, and its result was told before
        throw thrown;
      }),
  });
  let restarts = false;
  const goOn = async () => {
    [restarts, died] = [false, false];
    await engine.close();
    engine = open(disk);
    if ((await engine.report("r")).finished_at !== null) return; // its last fact was just written
    run = await engine.resume("r");
  };
  if (fate.cancelAt < Infinity) clock.at(fate.cancelAt, () => cancel(run));
  if (fate.restartAt < Infinity) clock.at(fate.restartAt, () => restarts = true);
  try {
    run = await engine.start(workflowOf(text, files), { runId: "r" }).catch((thrown) => {
      if (!died) throw thrown;
      return undefined; // with its first facts
    });
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await idle();
      const report = died || run === undefined ? await ended(engine) : run.report();
      if (report !== null && report.finished_at !== null) {
        const facts = new Map<string, StoredFact[]>();
        for (const id of ids) facts.set(id, await Array.fromAsync(disk.read(id)));
        return { report, world, facts, end: Date.parse(report.finished_at) };
      }
      if (report === null || restarts) {
        await goOn();
        continue;
      }
      if (report.attention.length > 0) {
        for (const { step, op } of report.attention) await decide(step, op);
        continue;
      }
      const due = clock.nextDue;
      if (due === undefined) throw new Error(`The run stands still: ${JSON.stringify(report)}`);
      clock.advance(Math.max(0, due - clock.now()));
    }
    throw new Error("The run comes to no end");
  } finally {
    await engine.close();
  }
}

/** Resolves once everything that follows from this moment has happened. */
function idle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** Where it stands by its journal, where it has ended there. */
async function ended(engine: Engine): Promise<RunReport | null> {
  const report = await engine.report("r");
  return report.finished_at === null ? null : report;
}

/** A run that has passed its pivot refuses. */
function cancel(run: Run | undefined): void {
  run?.cancel().catch(() => {}); // it goes on
}
