/**
 * A journal in a process of its own, which does what it is told: one call a line on standard input,
 * one answer a line on standard output.
 *
 * @module
 */
import type { Journal, Posted } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import { timedSqliteJournal } from "../../src/store/sqlite/journal.ts";
import { TIMING, type Timing } from "../../src/store/sqlite/timing.ts";
import { fromFileUrl } from "../support/paths.ts";

type Times = Partial<Pick<Timing, "lease" | "renewEvery" | "busyTimeout">>;

/** The journal's methods that can be called from outside, `adopt` and `read` with all there is. */
type Method = Exclude<keyof Journal, "listen" | "holds">;

type Given<M extends Method> = ReturnType<Journal[M]> extends AsyncIterable<infer T> ? T[]
  : Awaited<ReturnType<Journal[M]>>;

interface Call {
  readonly method: Method;
  readonly parts: readonly unknown[];
}

type Line =
  | { readonly given: unknown }
  | { readonly code: string; readonly message: string }
  | { readonly heard: Posted };

const PROGRAM = fromFileUrl(new URL(import.meta.url));

/** Another process with the same store. */
export class SecondProcess implements AsyncDisposable {
  /** The commands that it has heard of. */
  readonly heard: Posted[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #words: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #asked: PromiseWithResolvers<unknown>[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(path: string, timing: Times = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", PROGRAM, path, JSON.stringify(timing)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#words = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Calls a method of its journal. */
  async ask<M extends Method>(method: M, ...parts: Parameters<Journal[M]>): Promise<Given<M>> {
    const asked = Promise.withResolvers<unknown>();
    this.#asked.push(asked);
    const call: Call = { method, parts };
    await this.#words.write(new TextEncoder().encode(`${JSON.stringify(call)}\n`));
    return await asked.promise as Given<M>; // as its journal gave it
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Kills it, and waits until it is dead. */
  async end(): Promise<void> {
    this.kill("SIGKILL");
    await this.#child.status;
  }

  /** Resolves once it has heard so many commands. */
  async hears(commands: number): Promise<void> {
    while (this.heard.length < commands) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await Promise.all([this.#words.abort().catch(() => {}), this.#child.status, this.#reading]);
  }

  async #read(): Promise<void> {
    for await (const text of lines(this.#child.stdout)) {
      const line: Line = JSON.parse(text);
      if ("heard" in line) {
        this.heard.push(line.heard);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
        continue;
      }
      const asked = this.#asked.shift();
      if ("given" in line) asked?.resolve(line.given);
      else asked?.reject(new MaestroError(line.code as MaestroError["code"], line.message));
    }
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncIterable<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

async function main(path: string, timing: Times): Promise<void> {
  const journal = timedSqliteJournal(path, {}, { ...TIMING, ...timing });
  const say = (line: Line) => console.log(JSON.stringify(line));
  journal.listen((heard) => Promise.resolve(say({ heard })));
  for await (const text of lines(Deno.stdin.readable)) {
    const { method, parts }: Call = JSON.parse(text);
    try {
      const answer = (journal[method] as (...parts: unknown[]) => unknown)(...parts);
      const isMany = method === "adopt" || method === "read";
      const given = isMany
        ? await Array.fromAsync(answer as AsyncIterable<unknown>)
        : await answer ?? null;
      say({ given });
    } catch (thrown) {
      const { code, message } = MaestroError.from(thrown);
      say({ code, message });
    }
  }
}

if (import.meta.main) {
  const [path = "", timing = "{}"] = Deno.args;
  await main(path, JSON.parse(timing));
}
