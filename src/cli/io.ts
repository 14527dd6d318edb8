import { type Output, standardOutput } from "./output.ts";

/** The program's two ways to speak: the result on one, everything else on the other. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** The process's own. */
export function processIo(): Io {
  return { stdout: standardOutput(Deno.stdout), stderr: standardOutput(Deno.stderr) };
}

/** How a result is printed. */
export type OutputForm = "pretty" | "json" | "events";

/** A value as JSON: indented for people, on one line for programs. */
export function printJson({ stdout }: Io, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, stdout.isTerminal ? 2 : 0)}\n`);
}
