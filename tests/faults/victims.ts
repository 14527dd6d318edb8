/** Victims as tests have them: started, spoken to, ended. */
import assert from "node:assert/strict";
import { sqliteJournal } from "../../src/store/sqlite/journal.ts";
import type { StoredFact } from "../../src/engine/doors.ts";
import { fromFileUrl } from "../support/paths.ts";
import type { CountingService } from "./counting_service.ts";
import type { Said, Task } from "./victim.ts";

const PROGRAM = fromFileUrl(new URL("./victim.ts", import.meta.url));

/** Three steps, one after the other, that can be undone. */
export const THREE_STEPS = `name: three
services: { shop: { endpoint: "shop:1", retry: { initial_delay: 10ms } } }
steps:
  - { id: one, service: shop, method: One, compensate: { method: Undo } }
  - { id: two, service: shop, method: Two, compensate: { method: Undo } }
  - { id: three, service: shop, method: Three, compensate: { method: Undo } }
`;

/** The keys of the calls that runs of {@linkcode THREE_STEPS} make when nothing goes wrong. */
export function keysOf(runs: Iterable<string>): string[] {
  return [...runs].flatMap((run) => ["one", "two", "three"].map((step) => `${run}/${step}/action`))
    .sort();
}

/** A program under way. */
export class Victim implements AsyncDisposable {
  /** What it has said so far. */
  readonly said: Said[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #errors: Promise<string>;
  #changed = Promise.withResolvers<void>();
  #over = false;

  /** @param before words that are put before the command, such as those that take rights away */
  constructor(task: Task, before: readonly string[] = []) {
    const [first = "", ...rest] = [
      ...before,
      ...[Deno.execPath(), "run", "-A", "--no-check", PROGRAM, JSON.stringify(task)],
    ];
    this.#child = new Deno.Command(first, {
      args: rest,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
    this.#errors = new Response(this.#child.stderr).text();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves once it has said something of this kind. */
  async says(what: Said["said"]): Promise<void> {
    while (!this.said.some(({ said }) => said === what)) {
      assert.ok(!this.#over, `It ended without a word of "${what}": ${JSON.stringify(this.said)}`);
      await this.#changed.promise;
    }
  }

  /** Waits for its end. @returns its exit code */
  async ended(): Promise<number> {
    await this.#child.stdin.close().catch(() => {});
    const [{ code, signal }, , errors] = await Promise.all([
      this.#child.status,
      this.#reading,
      this.#errors,
    ]);
    if (signal === null) assert.equal(errors, "", "it wrote to standard error");
    return code;
  }

  /** The runs that ended, by how. */
  get results(): Record<string, string> {
    return Object.fromEntries(
      this.said.flatMap((one) => one.said === "ended" ? [[one.run, one.status]] : []),
    );
  }

  /** What failed. */
  get failures() {
    return this.said.filter((one) => one.said === "failed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.stdin.close().catch(() => {});
    await Promise.all([this.#child.status, this.#reading, this.#errors]);
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream());
    let rest = "";
    for await (const text of lines) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) this.said.push(JSON.parse(line));
      this.#tell();
    }
    this.#over = true;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs a victim to its end. */
export async function runVictim(
  task: Task,
  before: readonly string[] = [],
): Promise<{ code: number; victim: Victim }> {
  await using victim = new Victim(task, before);
  return { code: await victim.ended(), victim };
}

/** All that is kept of all runs, by their ids. */
export async function keptIn(store: string): Promise<Map<string, readonly StoredFact[]>> {
  const journal = sqliteJournal(store, { mustExist: true });
  try {
    const kept = new Map<string, readonly StoredFact[]>();
    for (const { runId } of await journal.list({ limit: 10_000 })) {
      kept.set(runId, await Array.fromAsync(journal.read(runId)));
    }
    return kept;
  } finally {
    await journal.close();
  }
}

/** Nothing was sent that the store does not know of, and nothing reported that it does not keep. */
export function checkDurable(
  kept: ReadonlyMap<string, readonly StoredFact[]>,
  service: CountingService,
  victim: Victim,
): void {
  const begun = new Set<string>();
  for (const [run, facts] of kept) {
    for (const { kind, path, op } of facts) {
      if (kind === "attempt_started") begun.add(`${run}/${path}/${op}`);
    }
  }
  assert.deepEqual(service.effects.filter((key) => !begun.has(key)), [], "sent, and not kept");
  for (const run of Object.keys(victim.results)) {
    const last = kept.get(run)?.at(-1);
    assert.equal(last?.kind, "run_ended", `${run} was reported as ended`);
  }
}

/** The keys of the steps that are known to be done. */
export function doneIn(kept: ReadonlyMap<string, readonly StoredFact[]>): Set<string> {
  return new Set(
    [...kept].flatMap(([run, facts]) =>
      facts.filter(({ kind }) => kind === "step_completed")
        .map(({ path, op }) => `${run}/${path}/${op}`)
    ),
  );
}
