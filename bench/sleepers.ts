/**
 * What runs cost that only wait: one process starts them and is closed, another goes on with them,
 * and each goes on at its moment.
 *
 * `deno task bench:sleepers [runs, default 100000] [seconds over which their moments are spread,
 * default 100] [seconds until the first, default 90]`
 */
import type { Resumed, Started } from "./sleepers_process.ts";

const [runs = 100_000, spread = 100, ahead = 90] = Deno.args.map(Number);
const folder = await Deno.makeTempDir();
try {
  const file = `${folder}/runs.db`;
  const from = Date.now() + ahead * 1_000;
  console.log(`deno ${Deno.version.deno}, ${runs} runs, due within ${spread} s`);

  const started: Started = await measure("start", file, runs, from, spread * 1_000);
  console.log(`\nstarted and asleep after ${started.seconds.toFixed(1)} s`);
  printMemory("before", started.empty);
  printMemory("all asleep", started.asleep);
  console.log(`  the file: ${megabytes((await Deno.stat(file)).size)}`);

  const resumed: Resumed = await measure("resume", file);
  if (resumed.resumedAt > from) {
    throw new Error("The first moment came too soon: give it more seconds");
  }
  console.log(`\nresumed ${resumed.sleeping} after ${resumed.seconds.toFixed(2)} s`);
  printMemory("before", resumed.empty);
  printMemory("all asleep", resumed.asleep);
  printMemory("all ended", resumed.ended);
  const { late } = resumed;
  const at = (share: number) => `${late[Math.ceil(late.length * share) - 1] ?? NaN} ms`;
  console.log(
    `  ${late.length} went on, late by: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}; the last ` +
      `ended ${((resumed.endedAt - from) / 1_000 - spread).toFixed(1)} s after the last moment`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** What one of the processes measured. */
async function measure<T>(...args: readonly (string | number)[]): Promise<T> {
  const program = new URL("sleepers_process.ts", import.meta.url).pathname;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", program, ...args.map(String)],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The process failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

function printMemory(what: string, { asItIs, collected }: Started["empty"]): void {
  console.log(
    `  ${what.padEnd(12)} ${megabytes(asItIs)} resident, ${megabytes(collected)} after gc()`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
