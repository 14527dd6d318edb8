/**
 * Processes that run sagas, to be killed: the victim, and the command line.
 *
 * @module
 */
import { fromFileUrl } from "../support/paths.ts";
import type { Errand } from "./victim.ts";

const fileOf = (name: string) => fromFileUrl(new URL(name, import.meta.url));

/** How long a process gets, in milliseconds: one that hangs should not take all others along. */
const PATIENCE = 180_000;

/** The exit code of what is refused; those above are for what went wrong. */
const REFUSED = 2;

/** What came of a process. */
export interface Ended {
  /** It was killed, by whomever. */
  readonly killed: boolean;
  readonly code: number;
  readonly stdout: string;
}

/** A process that has its end before it. */
export interface Doomed {
  /** Which life it is of what it runs. */
  readonly life: number;
  /** Kills it. @default it is left alone */
  readonly signal?: AbortSignal;
}

/** Runs the victim. @throws {Error} where it ends as it should not; one whose journal lies may notice */
export async function runVictim(errand: Errand, doomed: Doomed): Promise<Ended> {
  const file = `${errand.store}.errand-${doomed.life}`;
  await Deno.writeTextFile(file, JSON.stringify(errand));
  const ended = await run([fileOf("victim.ts"), file], doomed);
  if (ended.killed || ended.code === 0 || errand.lies) return ended;
  throw new Error(`Life ${doomed.life} ended with ${ended.code}\n${ended.stderr}`);
}

/** Runs `maestro`. @throws {Error} where it ends as it should not */
export async function runMaestro(args: readonly string[], doomed: Doomed): Promise<Ended> {
  const ended = await run([fileOf("../../mod.ts"), ...args], doomed);
  if (ended.killed || ended.code <= REFUSED) return ended;
  throw new Error(`maestro ${args.join(" ")} ended with ${ended.code}\n${ended.stderr}`);
}

async function run(args: readonly string[], { life, signal }: Doomed) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", fileOf("../../deno.json"), ...args],
    env: { LIFE: String(life), NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  };
  signal?.addEventListener("abort", kill);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, PATIENCE);
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", kill);
  if (isLate) throw new Error(`Life ${life} did not end in ${PATIENCE} ms\n${stdout}${stderr}`);
  return { killed: status.signal === "SIGKILL", code: status.code, stdout, stderr };
}
