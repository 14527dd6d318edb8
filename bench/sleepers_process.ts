/**
 * One of the processes of `sleepers.ts`. `start FILE RUNS FROM SPREAD` starts runs that sleep until
 * moments from FROM on, in milliseconds since the epoch, spread over SPREAD milliseconds;
 * `resume FILE` goes on with them and sees them to their ends. Prints what it measured as JSON.
 */
import { Engine, sqliteJournal } from "../mod.ts";
import { loadText } from "./load_text.ts";
import { noopCaller } from "./noop_caller.ts";

/** Resident memory, in bytes. */
interface Memory {
  readonly asItIs: number;
  readonly collected: number;
}

/** What a process that starts runs has measured. */
export interface Started {
  readonly seconds: number;
  readonly empty: Memory;
  readonly asleep: Memory;
}

/** What a process that goes on with them has measured. */
export interface Resumed {
  readonly sleeping: number;
  /** Until `resumeAll()` was done. */
  readonly seconds: number;
  /** When it was done, in milliseconds since the epoch. */
  readonly resumedAt: number;
  /** When the last had ended. */
  readonly endedAt: number;
  readonly empty: Memory;
  readonly asleep: Memory;
  readonly ended: Memory;
  /** How long after its moment each run's going on was durable, in milliseconds, in order. */
  readonly late: readonly number[];
}

const WORKFLOW = `name: sleeper
services: { echo: { endpoint: "echo:1" } }
steps:
  - { id: before, service: echo, method: Say, input: { text: "{{ .input.at }}" } }
  - { id: until, wait: { until: "{{ timestamp(.input.at) }}" } }
  - { id: after, service: echo, method: Say, input: { text: "{{ .before.text }}" } }
`;
/** How many are started at once. */
const AT_ONCE = 50;

async function start(file: string, runs: number, from: number, spread: number): Promise<Started> {
  const workflow = loadText(WORKFLOW, {});
  const empty = memory();
  const asleepNow = new Map<string, () => void>();
  const engine = new Engine({
    caller: noopCaller,
    journal: sqliteJournal(file),
    onHappening: (runId, _workflow, event) => {
      if (event.kind === "step_started" && event.path === "until") asleepNow.get(runId)?.();
    },
  });
  const began = performance.now();
  let started = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let run = started++; run < runs; run = started++) {
      const dueAt = from + Math.floor(run * spread / runs);
      const input = { at: new Date(dueAt).toISOString() };
      const runId = `${run}-${dueAt}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      asleepNow.set(runId, resolve);
      await engine.start(workflow, { runId, input });
      await promise;
      asleepNow.delete(runId);
    }
  }));
  const seconds = (performance.now() - began) / 1_000;
  const asleep = memory();
  await engine.close();
  return { seconds, empty, asleep };
}

async function resume(file: string): Promise<Resumed> {
  const empty = memory();
  const late: number[] = [];
  const engine = new Engine({
    caller: noopCaller,
    journal: sqliteJournal(file),
    onHappening: (runId, _workflow, event) => {
      if (event.kind !== "step_completed" || event.path !== "until") return;
      late.push(Date.now() - Number(runId.slice(runId.indexOf("-") + 1)));
    },
  });
  const began = performance.now();
  const { sleeping } = await engine.resumeAll();
  const seconds = (performance.now() - began) / 1_000;
  const resumedAt = Date.now();
  const asleep = memory();
  await engine.settled();
  const endedAt = Date.now();
  const ended = memory();
  await engine.close();
  return {
    sleeping,
    seconds,
    resumedAt,
    endedAt,
    empty,
    asleep,
    ended,
    late: late.sort((a, b) => a - b),
  };
}

function memory(): Memory {
  const asItIs = Deno.memoryUsage().rss;
  const { gc } = globalThis as { readonly gc?: () => void }; // there with --expose-gc
  gc?.();
  return { asItIs, collected: Deno.memoryUsage().rss };
}

if (import.meta.main) {
  const [command, file = "", ...numbers] = Deno.args;
  const [runs = 0, from = 0, spread = 0] = numbers.map(Number);
  const measured = command === "start" ? await start(file, runs, from, spread) : await resume(file);
  console.log(JSON.stringify(measured));
}
