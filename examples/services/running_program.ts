// One program as a child process: from its start until it says that it listens, to its end.

import type { Program } from "./programs.ts";

/** How long a program may take to listen, and to end once it was told to. */
const READY_MS = 30_000;
const STOP_MS = 5_000;

/** How a program is started. */
export interface ProgramOptions {
  /** Where it listens; 0 is any free port. */
  readonly ports: readonly number[];
  /** Where it keeps its state. Left out: in memory. */
  readonly directory?: string | undefined;
  /** Left out: it speaks plain text. */
  readonly tls?: ServerTls | undefined;
  /** Environment variables, besides those of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Names of PEM files. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Who signed the certificates that clients must show. Left out: they need none. */
  readonly clientCa?: string | undefined;
}

export class RunningProgram {
  readonly #program: Program;
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<void>;
  #endIsExpected = false;
  #ports: number[] = [];

  /**
   * Starts a program and resolves once it listens on all of its ports.
   * @throws when it ends before, or takes more than 30 s
   */
  static async start(program: Program, options: ProgramOptions): Promise<RunningProgram> {
    const ready = Promise.withResolvers<void>();
    const running = new RunningProgram(program, options, ready.resolve);
    const timer = setTimeout(
      () => ready.reject(new Error(`The ${program.language} program does not get ready`)),
      READY_MS,
    );
    running.#process.status.then(({ code, signal }) => {
      ready.reject(new Error(`The ${program.language} program ended: ${signal ?? code}`));
    });
    try {
      await ready.promise;
      running.#watchOver();
      return running;
    } catch (error) {
      await running.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(program: Program, options: ProgramOptions, onReady: () => void) {
    const { ports, directory, tls, env = {} } = options;
    this.#program = program;
    const [name = "", ...args] = [
      ...program.command,
      ...ports.flatMap((port) => ["--port", String(port)]),
      ...(directory === undefined ? [] : ["--data", directory]),
      ...(tls === undefined ? [] : ["--tls-cert", tls.cert, "--tls-key", tls.key]),
      ...(tls?.clientCa === undefined ? [] : ["--tls-client-ca", tls.clientCa]),
    ];
    this.#process = new Deno.Command(name, { args, env, stdin: "null", stdout: "piped" }).spawn();
    this.#output = this.#listen(ports.length, onReady);
  }

  /** Where it listens, in the order of the ports it was given. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  /** Ends it as an operator would. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#signal("SIGKILL"), STOP_MS);
    try {
      this.#signal("SIGTERM");
      await this.#ended();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#ended();
  }

  /** An end that nobody asked for must not go unnoticed. */
  #watchOver(): void {
    this.#process.status.then(({ code, signal }) => {
      if (this.#endIsExpected) return;
      console.error(`The ${this.#program.language} program ended: ${signal ?? code}`);
    });
  }

  #signal(signal: Deno.Signal): void {
    this.#endIsExpected = true;
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already, which is all that was wanted.
    }
  }

  async #ended(): Promise<void> {
    await this.#process.status;
    await this.#output;
  }

  /** Reads its output, to the end: a program that nobody listens to would block. */
  async #listen(expected: number, onReady: () => void): Promise<void> {
    let line = "";
    for await (const chunk of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (line + chunk).split("\n");
      line = lines.pop() ?? "";
      for (const complete of lines) {
        const port = complete.match(/^listening 127\.0\.0\.1:(\d+)$/)?.[1];
        if (port === undefined) console.error(`${this.#program.language}: ${complete}`);
        else if (this.#ports.push(Number(port)) === expected) onReady();
      }
    }
  }
}
