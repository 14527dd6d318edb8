/** The real program, as its users have it: a process with its streams and exit code. */
import { fromFileUrl } from "../support/paths.ts";

const MOD = fromFileUrl(new URL("../../mod.ts", import.meta.url));

/** What came of a program. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is started. */
export interface Surroundings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** @default nothing */
  readonly stdin?: string | Uint8Array;
}

/** `maestro` with these arguments, not started yet. */
export function command(args: readonly string[], options: Surroundings): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MOD, ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** The line by which a shell starts `maestro`. */
export function shellLine(args: readonly string[]): string {
  return [Deno.execPath(), "run", "-A", MOD, ...args]
    .map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(" ");
}

/** How long a program gets, in milliseconds: one that hangs should not take all tests along. */
const PATIENCE = 60_000;

/** Runs `maestro` to its end. @throws {Error} with what it has printed, where it does not come to one */
export function maestro(args: readonly string[], options: Surroundings): Promise<Ended> {
  return ended(command(args, options).spawn(), args, options.stdin);
}

/** Waits for a program's end, and kills it after a while. */
export async function ended(
  child: Deno.ChildProcess,
  args: readonly string[],
  stdin?: string | Uint8Array,
  patience = PATIENCE,
): Promise<Ended> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, patience);
  const [, { code }, stdout, stderr] = await Promise.all([
    stdin === undefined ? null : feed(child.stdin, stdin),
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  clearTimeout(timer);
  if (!late) return { code, stdout, stderr };
  const asked = `maestro ${args.join(" ")}`;
  throw new Error(
    `${asked} did not end within ${patience} ms\n--- stdout\n${stdout}\n--- stderr\n${stderr}`,
  );
}

/** What a program says while it goes on. */
export class Said {
  /** All of it, once it has ended. */
  readonly all: Promise<string>;
  #text = "";
  #hear = () => {};

  constructor(stream: ReadableStream<Uint8Array>) {
    this.all = this.#read(stream);
  }

  /** Resolves once it has said something. @throws {Error} where it ends without */
  once(pattern: RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#hear = () => pattern.test(this.#text) && resolve();
    this.#hear();
    this.all.then((text) => reject(new Error(`It did not say ${pattern}:\n${text}`)));
    return promise;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<string> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += part;
      this.#hear();
    }
    return this.#text;
  }
}

async function feed(stream: WritableStream<Uint8Array>, stdin: string | Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
    await writer.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown; // it has ended without reading
  }
}

/** A text with everything that differs from run to run replaced. */
export function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
    .replaceAll(/\b\d\d:\d\d:\d\dZ/g, "<clock>")
    .replaceAll(/127\.0\.0\.1:\d+/g, "<endpoint>")
    .replaceAll(/^ *[\d.]+m?s {2}/gm, "<t>  ")
    .replaceAll(/\bin [\d.]+m?s\b/g, "in <t>");
}
