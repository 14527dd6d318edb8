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

/** Runs `maestro` to its end. */
export async function maestro(args: readonly string[], options: Surroundings): Promise<Ended> {
  const child = command(args, options).spawn();
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    const { stdin } = options;
    await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A text with everything that differs from run to run replaced. */
export function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
    .replaceAll(/127\.0\.0\.1:\d+/g, "<endpoint>")
    .replaceAll(/^ *[\d.]+m?s {2}/gm, "<t>  ")
    .replaceAll(/\bin [\d.]+m?s\b/g, "in <t>");
}
