/**
 * Cuts the power at each fact of a run, goes on in a new engine over the same journal and the same
 * services, and demands what the undisturbed run asked for, did and came to.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Journal, StoredFact } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import { MaestroError } from "../../src/errors.ts";
import type { Resolution } from "../../src/engine/resolution.ts";
import type { AttentionReport, RunReport } from "../../src/engine/report.ts";
import type { Run } from "../../src/engine/run.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import type { Json } from "../../src/workflow/json.ts";
import type { Workflow } from "../../src/workflow/model.ts";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import { JumpingClock } from "./clock.ts";
import { type Script, World } from "./world.ts";

/** The services of all cases: one is tried again, the other is not. */
export const SERVICES = `services:
  shop: { endpoint: "shop:1", retry: { attempts: 3, initial_delay: 1s, jitter: 0 } }
  mail: { endpoint: "mail:1", circuit_breaker: false }
`;

/** Answers with what it was asked, so that a lost or mixed-up output shows. */
export const answers: Script = ({ method, input }) => ({
  answer: { from: method, echo: input as Json }, // as sent: plain data
});

/** A run, what happens to it from outside, and how it ends. */
export interface RestartCase {
  readonly name: string;
  /** The document, without `name` and `services`. */
  readonly steps: string;
  /** The `steps` of child workflows, by file. */
  readonly children?: Readonly<Record<string, string>>;
  /** What the services do; an operator may mend what they do. */
  readonly scripts:
    | Readonly<Record<string, Script>>
    | ((mended: () => boolean) => Readonly<Record<string, Script>>);
  readonly input?: Json;
  readonly status: RunReport["status"];
  readonly signals?: readonly SentSignal[];
  /** When a user cancels the run, in milliseconds from its start. */
  readonly cancelAt?: number;
  /** What an operator does about a parked step, after mending the services. */
  readonly operator?: (parked: AttentionReport) => Omit<Resolution, "step" | "op" | "reason">;
  /** Steps whose attempt, under way in a failing block, is `unknown` after a restart (semantics.md §6). */
  readonly inDoubt?: readonly string[];
  /** Looks at the undisturbed run: what a case is about did happen. */
  readonly expect?: (played: Played) => void;
}

/** A signal from outside. */
export interface SentSignal {
  readonly name: string;
  readonly id: string;
  readonly payload: Json;
  /** In milliseconds from the run's start. */
  readonly at: number;
}

/** What a case came to. */
export interface Played {
  readonly report: RunReport;
  /** Of its child runs, by id. */
  readonly children: ReadonlyMap<string, RunReport>;
  readonly world: World;
  /** Of all runs, by id. */
  readonly facts: ReadonlyMap<string, readonly StoredFact[]>;
  /** How many facts there are in all. */
  readonly total: number;
  /** How many writes there were. */
  readonly writes: number;
}

/** How long the power is off, in milliseconds: less than any pause of a case. */
const OFF = 10;

/** When the power is cut: told of each write before it is done, gives how many of its facts survive. */
export type Power = (facts: number) => { readonly written: number; readonly cut: boolean };

/** The power is cut as soon as this many facts are written. */
export function cutAfter(facts: number): Power {
  let left = facts;
  return (more) => {
    const written = Math.min(more, left);
    left -= written;
    return { written, cut: left === 0 };
  };
}

/** The power is cut in the first write that would make it more than this many facts: what was sent before is lost sight of. */
export function cutBeyond(facts: number): Power {
  let left = facts;
  return (more) => {
    const written = Math.min(more, left);
    left -= written;
    return { written, cut: written < more };
  };
}

/** The power is cut in this write, of which nothing is kept. */
export function cutInWrite(number: number): Power {
  let left = number;
  return (more) => --left > 0 ? { written: more, cut: false } : { written: 0, cut: true };
}

/** A workflow from its text and its children's. */
function workflowOf({ steps, children = {} }: RestartCase): Workflow {
  const document = (name: string, rest: string) => `name: ${name}\n${SERVICES}${rest}`;
  const { workflow, problems } = parseWorkflow(
    { file: "parent.yaml", text: document("parent", steps) },
    (file) => document(file.replace(/^.*\/|\.yaml$/g, ""), children[file] ?? assert.fail(file)),
  );
  assert.deepEqual(problems.filter(({ severity }) => severity === "error"), []);
  assert.ok(workflow);
  return workflow;
}

/** A journal that outlives the engines over it, and may lose its power. */
class Disk {
  readonly #kept = memoryJournal();
  readonly runs = new Set<string>();
  total = 0;
  writes = 0;

  /** As one engine sees it. */
  journal(power: Power | undefined): Journal {
    const kept = this.#kept;
    let isOff = false;
    const check = () => {
      if (isOff) throw new Error("The power is cut");
    };
    return {
      ...kept,
      create: async (run, owner) => {
        check();
        const claim = await kept.create(run, owner);
        this.runs.add(run.runId);
        return claim;
      },
      append: async (claim, facts, standing) => {
        check();
        const { written, cut } = power?.(facts.length) ?? { written: facts.length, cut: false };
        isOff ||= cut;
        this.writes++;
        this.total += written;
        const isWhole = written === facts.length;
        await kept.append(claim, facts.slice(0, written), isWhole ? standing : undefined);
        check();
      },
      close: () => Promise.resolve(),
    };
  }

  async facts(): Promise<ReadonlyMap<string, readonly StoredFact[]>> {
    const all = new Map<string, readonly StoredFact[]>();
    for (const id of this.runs) all.set(id, await Array.fromAsync(this.#kept.read(id)));
    return all;
  }
}

/** Plays a case to its end, in as many lives as there are powers, and one more. */
export async function play(test: RestartCase, powers: readonly Power[] = []): Promise<Played> {
  const clock = new JumpingClock();
  const began = clock.now();
  const disk = new Disk();
  let isMended = false;
  const scripts = typeof test.scripts === "function" ? test.scripts(() => isMended) : test.scripts;
  const world = new World(scripts, clock);
  const workflow = workflowOf(test);
  const mend = () => isMended = true;
  try {
    for (let life = 0;; life++) {
      const journal = disk.journal(powers[life]);
      const engine = new Engine({ caller: world.caller(), journal, clock, random: () => 0 });
      try {
        const report = await live(test, engine, workflow, { began, clock, mend, life });
        const facts = await disk.facts();
        const children = new Map<string, RunReport>();
        for (const id of disk.runs) if (id !== "r") children.set(id, await engine.report(id));
        return { report, children, world, facts, total: disk.total, writes: disk.writes };
      } catch (thrown) {
        if (!String(thrown).includes("The power is cut")) throw thrown;
      } finally {
        await engine.close();
      }
      clock.advance(OFF);
    }
  } finally {
    clock.stop();
  }
}

interface Life {
  readonly began: number;
  readonly clock: JumpingClock;
  readonly mend: () => void;
  readonly life: number;
}

/** One engine's life with the run. */
async function live(
  test: RestartCase,
  engine: Engine,
  workflow: Workflow,
  { began, clock, mend, life }: Life,
): Promise<RunReport> {
  const run = life === 0
    ? await engine.start(workflow, { runId: "r", input: test.input ?? { x: 1 } })
    : await goOn(engine);
  if (run === undefined) return await engine.report("r");
  const takeBack = outside(test, run, began, clock);
  try {
    for (;;) {
      const report = await run.result();
      if (report.status !== "needs_attention" || test.operator === undefined) return report;
      mend();
      for (const parked of report.attention) {
        const decided = test.operator(parked);
        await run.resolve({ step: parked.step, reason: "seen to", ...decided });
      }
    }
  } finally {
    takeBack();
  }
}

/** As a process does that starts: every run that has not ended goes on; `undefined`: it has ended. */
async function goOn(engine: Engine): Promise<Run | undefined> {
  await engine.resumeAll();
  try {
    return await engine.resume("r"); // it may sleep
  } catch (thrown) {
    if (MaestroError.from(thrown).code !== "RUN_NOT_ACTIVE") throw thrown;
    return undefined;
  }
}

/** Signals and a cancel at their times, and again in each life: nobody knows whether they were kept. */
function outside(
  { signals = [], cancelAt }: RestartCase,
  run: Run,
  began: number,
  clock: JumpingClock,
) {
  const takeBacks = signals.map(({ name, id, payload, at }) =>
    clock.at(began + at, () => quietly(() => run.signal(name, payload, id)))
  );
  if (cancelAt !== undefined) {
    takeBacks.push(clock.at(began + cancelAt, () => quietly(() => run.cancel())));
  }
  return () => takeBacks.forEach((takeBack) => takeBack());
}

/** The run may have ended, or lost its power: then it goes on, or not, in the next life. */
function quietly(action: () => Promise<void>): void {
  action().catch(() => {});
}

/** What must be the same, however often it was interrupted: what was asked for, done, and answered. */
export function essence(played: Played, inDoubt: readonly string[] = []) {
  const { world, report, children } = played;
  const isSure = (key: string) => !inDoubt.some((path) => key.endsWith(`/${path}/action`));
  const asked = world.calls.filter(({ key }) => isSure(key))
    .map(({ method, key, attempt, input }) => JSON.stringify([method, key, attempt, input]));
  return {
    run: runEssence(report, inDoubt),
    children: Object.fromEntries(
      [...children].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([id, child]) => [id, runEssence(child, inDoubt)]),
    ),
    asked: [...new Set(asked)].sort(),
    effects: world.effects.filter(isSure).sort(),
  };
}

function runEssence(report: RunReport, inDoubt: readonly string[]) {
  const { status, output, error, attention, steps } = report;
  return {
    status,
    output,
    error,
    attention,
    steps: steps.map((step) => {
      const { path, kind, compensation } = step;
      const undone = compensation && { status: compensation.status, error: compensation.error };
      if (inDoubt.includes(path)) return { path, kind, undone };
      const { status, outcome, attempts, output, error } = step;
      return { path, kind, status, outcome, attempts, output, error, undone };
    }).sort((a, b) => a.path < b.path ? -1 : 1),
  };
}

/** Of two compensations, the one of what was done later comes first, unless that was done after it. */
export function checkOrder(facts: readonly StoredFact[]): void {
  const done = new Map<string, number>();
  const undone: { path: string; seq: number }[] = [];
  for (const { kind, path, op, seq, ...fact } of facts) {
    if (typeof path !== "string") continue;
    const failure = fact["failure"];
    const outcome = fact["outcome"] ??
      (typeof failure === "object" && failure !== null && "outcome" in failure
        ? failure["outcome"]
        : null);
    const happened = kind === "step_completed" || kind.startsWith("step_") && outcome === "unknown";
    if (op === "action" && happened && !done.has(path)) done.set(path, seq);
    if (op === "compensate" && kind === "step_started" && done.has(path)) {
      undone.push({ path, seq });
    }
  }
  for (const [at, first] of undone.entries()) {
    for (const second of undone.slice(at + 1)) {
      const [a, b] = [done.get(first.path) ?? 0, done.get(second.path) ?? 0];
      assert.ok(a > b || b > first.seq, `${first.path} was undone before ${second.path}`);
    }
  }
}

/**
 * Waits and pauses end when they were meant to, however often the power is cut in them.
 *
 * @param late what was recorded of the end was lost, and is recorded when the power is back
 */
export function checkPauses(
  facts: readonly StoredFact[],
  every: number,
  { late = false }: { late?: boolean } = {},
): void {
  const isMeant = (at: number, meant: number) => at === meant || late && at === meant + OFF;
  const ended = new Map<string, number>();
  const due = new Map<string, number>();
  for (const { kind, path, at, ...fact } of facts) {
    if (typeof path !== "string") continue;
    if (kind === "step_caught") due.delete(path);
    if (kind === "step_completed") {
      const meant = due.get(path);
      if (meant !== undefined) {
        assert.ok(isMeant(at, meant), `${path} ended ${at - meant} too late`);
      }
      ended.set(path, at);
    }
    if (kind !== "step_started") continue;
    if (typeof fact["dueAt"] === "number") due.set(path, fact["dueAt"]);
    const round = fact["round"];
    const before = typeof round === "number" && round > 0
      ? ended.get(path.replace(/\[\d+\]$/, `[${round - 1}]`))
      : undefined;
    if (before === undefined) continue;
    assert.ok(isMeant(at, before + every), `the pause before ${path} took ${at - before}`);
  }
}

/** Cuts the power at each fact, in each way, and after every fact of all. */
export async function playInterrupted(
  test: RestartCase,
  check: (played: Played, options: { readonly late: boolean }) => void = () => {},
): Promise<void> {
  const undisturbed = await play(test);
  assert.equal(undisturbed.report.status, test.status);
  test.expect?.(undisturbed);
  const { total, writes } = undisturbed;
  const wanted = essence(undisturbed, test.inDoubt);
  const compare = async (powers: readonly Power[], when: string) => {
    const played = await play(test, powers);
    try {
      assert.deepEqual(essence(played, test.inDoubt), wanted);
      for (const facts of played.facts.values()) checkOrder(facts);
      check(played, { late: when.startsWith("in") });
    } catch (thrown) {
      throw new Error(
        `The power was cut ${when}: ${thrown instanceof Error ? thrown.message : thrown}`,
      );
    }
  };
  check(undisturbed, { late: false });
  for (let facts = 1; facts < total; facts++) {
    await compare([cutAfter(facts)], `after fact ${facts}`);
    await compare([cutBeyond(facts)], `in the write after fact ${facts}`);
  }
  for (let number = 2; number <= writes; number++) {
    await compare([cutInWrite(number)], `in write ${number}`);
  }
  await compare(Array.from({ length: total * 2 }, () => cutAfter(1)), "after every fact");
}
