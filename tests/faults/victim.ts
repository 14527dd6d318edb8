/**
 * A program that embeds Maestro, to be killed, frozen and starved by tests. Says what happens on
 * standard output, one JSON object a line.
 *
 * @module
 */
import { callerOf, callFailure, openEngine, type Run } from "../../mod.ts";
import { MaestroError } from "../../src/errors.ts";
import { timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING, type Timing } from "../../src/store/sqlite/timing.ts";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import type { WireCall } from "./counting_service.ts";

/** What the program does. */
export interface Task {
  readonly store: string;
  /** The service's. */
  readonly port: number;
  /**
   * `start`: starts runs `run-0`, `run-1` and so on; `resume`: goes on with all that is open; `take`:
   * with one run, as soon as it can be had.
   */
  readonly act: "start" | "resume" | "take";
  /** @default 1 */
  readonly runs?: number;
  /** How many of them go on at once. @default all */
  readonly atOnce?: number;
  /** The run to `take`. */
  readonly run?: string;
  /** The text of the workflow that is started. */
  readonly workflow?: string;
  /** The store's, in milliseconds. @default as outside of tests */
  readonly timing?: Partial<Pick<Timing, "lease" | "renewEvery" | "busyTimeout">>;
  /** Stays until its standard input ends, when there is nothing left to do. @default false */
  readonly stays?: boolean;
}

/** What it says. */
export type Said =
  | { readonly said: "started" | "lives" }
  | { readonly said: "ended"; readonly run: string; readonly status: string }
  | {
    readonly said: "failed";
    readonly run: string | null;
    readonly code: string;
    readonly message: string;
  };

/** How many runs are followed at once, unless it is said. */
const MANY = 1_000;

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? "{}"));

async function main(task: Task): Promise<void> {
  let code = 0;
  const fail = (run: string | null, thrown: unknown) => {
    const error = MaestroError.from(thrown);
    if (error.code === "STORE_FAILED") code = 4;
    else code ||= 1;
    say({ said: "failed", run, code: error.code, message: error.message });
  };
  try {
    const { store, timing } = task;
    const journal = timedSqliteJournal(store, { mustExist: task.act !== "start" }, {
      ...TIMING,
      ...timing,
    });
    const engine = openEngine({ journal, caller: callerOf((call) => send(task.port, call)) });
    const follow = async (id: string, run: Promise<Run>) => {
      try {
        const { status } = await (await run).result();
        say({ said: "ended", run: id, status });
      } catch (thrown) {
        fail(id, thrown);
      }
    };
    await act(task, engine, follow).catch((thrown) => fail(null, thrown));
    if (task.stays) {
      say({ said: "lives" });
      await Array.fromAsync(Deno.stdin.readable);
    }
    await engine.close();
  } catch (thrown) {
    fail(null, thrown);
  }
  Deno.exit(code);
}

async function act(
  { act, runs = 1, atOnce = MANY, run: wanted = "run-0", workflow: text = "" }: Task,
  engine: ReturnType<typeof openEngine>,
  follow: (id: string, run: Promise<Run>) => Promise<void>,
): Promise<void> {
  switch (act) {
    case "start": {
      const { workflow } = parseWorkflow({ file: "workflow.yaml", text }, () => "");
      if (workflow === null) throw new Error("The workflow can't be read");
      const ids = Array.from({ length: runs }, (_, index) => `run-${index}`).values();
      const hand = async () => {
        for (const runId of ids) await follow(runId, engine.start(workflow, { runId }));
      };
      await Promise.all(Array.from({ length: Math.min(runs, atOnce) }, hand));
      return;
    }
    case "resume": {
      const { runs } = await engine.resumeAll();
      say({ said: "started" });
      await Promise.all(runs.map((run) => follow(run.id, Promise.resolve(run))));
      return await engine.settled();
    }
    case "take":
      return await follow(wanted, take(engine, wanted));
  }
}

async function take(engine: ReturnType<typeof openEngine>, id: string): Promise<Run> {
  for (;;) {
    try {
      return await engine.resume(id);
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_OWNED") throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function send(port: number, { method, input, metadata }: WireCall) {
  const body = JSON.stringify({ method, input, metadata });
  const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body });
  const { code, output } = await response.json();
  return code === undefined ? output : callFailure(code, "No");
}

function say(said: Said): void {
  console.log(JSON.stringify(said));
}
