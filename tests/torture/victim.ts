/**
 * The process that is killed: it goes on with every run that its store has, starts the others, and
 * ends once all have ended. Says `up` on a line when it is at work, and then how each run ended.
 *
 * @module
 */
import {
  type Engine,
  type ErrorCode,
  type Json,
  MaestroError,
  openEngine,
  type Run,
  sqliteJournal,
  type Workflow,
} from "../../mod.ts";
import { deadlyJournal, type Fall, lyingJournal, type Noted } from "./deadly_journal.ts";

/** What a victim is to do. */
export interface Errand {
  /** The file of the store. */
  readonly store: string;
  /** The file to note in what the journal was asked to write. */
  readonly notes: string;
  /** The file of the workflow, loaded and checked, as JSON. */
  readonly workflow: string;
  /** By service. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly orders: readonly Order[];
  /** How many of them are begun at the same time. */
  readonly atOnce: number;
  readonly fall: Fall | null;
  /** The journal says that it has written, and has not. */
  readonly lies: boolean;
}

/** One run of the workflow, and what a user does to it. */
export interface Order {
  readonly id: string;
  readonly input: Json;
  /** The run's time, in milliseconds. */
  readonly timeout?: number | undefined;
  /** The run is cancelled once it has so many facts, and again in each life: who knows whether it was heard. */
  readonly cancelAt?: number | undefined;
  /** It is sent this signal in each life, with the same id: who knows whether it was heard. */
  readonly signal?: string | undefined;
  /** Somebody waits for it: one that sleeps is woken. @default it sleeps on */
  readonly isWatched?: boolean;
}

async function main(errand: Errand): Promise<void> {
  const notes = Deno.openSync(errand.notes, { append: true, create: true });
  const encoder = new TextEncoder();
  const note = (noted: Noted) => {
    notes.writeSync(encoder.encode(`${JSON.stringify(noted)}\n`));
  };
  const store = sqliteJournal(errand.store);
  const inner = errand.lies ? lyingJournal(store) : store;
  const engine = openEngine({ journal: await deadlyJournal(inner, note, errand.fall) });
  const workflow: Workflow = JSON.parse(await Deno.readTextFile(errand.workflow));
  const { runs } = await engine.resumeAll();
  console.log("up");
  const resumed = new Map(runs.map((run) => [run.id, run]));
  const waiting = errand.orders.values();
  await Promise.all(Array.from({ length: errand.atOnce }, async () => {
    for (const order of waiting) {
      const run = resumed.get(order.id) ?? await begin(engine, workflow, errand.endpoints, order);
      if (run !== null) await accompany(run, order);
    }
  }));
  await engine.settled(); // others sleep
  for (const { id } of errand.orders) console.log(`${id} ${(await store.find(id)).status}`);
  await engine.close();
}

/** `null`: it was begun in an earlier life, and has ended, or sleeps. */
async function begin(
  engine: Engine,
  workflow: Workflow,
  endpoints: Readonly<Record<string, string>>,
  { id, input, timeout, isWatched }: Order,
): Promise<Run | null> {
  try {
    return await engine.start(workflow, {
      runId: id,
      input,
      endpoints,
      ...(timeout !== undefined && { timeout }),
    });
  } catch (thrown) {
    if (!isOf(thrown, "RUN_EXISTS")) throw thrown;
  }
  if (!isWatched) return null;
  try {
    return await engine.resume(id); // wakes it, where it sleeps
  } catch (thrown) {
    if (!isOf(thrown, "RUN_NOT_ACTIVE")) throw thrown;
    return null;
  }
}

/** Does what people do to a run until it has ended. */
async function accompany(run: Run, { cancelAt, signal }: Order): Promise<void> {
  if (cancelAt !== undefined) await cancelAfter(run, cancelAt);
  if (signal !== undefined) await run.signal(signal, { account: "words" }, "the one");
  for (;;) {
    const { status, attention } = await run.result();
    if (status !== "needs_attention") return;
    for (const { step } of attention) {
      await run.resolve({ step, action: "retry", reason: "mended" });
    }
  }
}

async function cancelAfter(run: Run, facts: number): Promise<void> {
  const stop = run.follow((event) => {
    if ("seq" in event && event.seq >= facts) cancel();
  });
  const cancel = () => {
    stop();
    run.cancel("a user").catch((thrown) => {
      if (!isOf(thrown, "RUN_NOT_ACTIVE")) throw thrown; // past its pivot
    });
  };
  if ((await Array.fromAsync(run.facts())).length >= facts) cancel();
}

function isOf(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof MaestroError && thrown.code === code;
}

if (import.meta.main) {
  await main(JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")));
  Deno.exit(); // a thread may wait for a write that did not come
}
