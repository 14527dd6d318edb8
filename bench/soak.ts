/**
 * Whether memory stays flat: two-step runs against a service of which 5 % of the calls fail and 2 %
 * are answered too late, over connections that are recycled every second.
 *
 * `deno task soak [calls, default 200000]`; 1 is its exit code where resident memory, after the
 * first 20,000 calls, grows by 10 % or more.
 */
import { loadWorkflow, openEngine } from "../mod.ts";
import { forgetfulJournal } from "./forgetful_journal.ts";
import { startServer } from "./server_process.ts";

/** Calls between two looks at memory. */
const EVERY = 10_000;
/** Caches fill and code is compiled during these. */
const WARM_UP = 20_000;
/** The growth that is too much. */
const LIMIT = 0.1;
const CONCURRENCY = 50;

const wanted = Number(Deno.args[0] ?? 200_000);
if (!Number.isInteger(wanted) || wanted < 1) throw new Error("How many calls? Give a whole number");

let calls = 0;
let runs = 0;
const engine = openEngine({ journal: forgetfulJournal(() => calls++) });
const workflow = await loadWorkflow(new URL("soak.yaml", import.meta.url).pathname);
const server = await startServer("failing_server.ts");
const samples: { readonly calls: number; readonly rss: number }[] = [];
const began = performance.now();

console.log(
  `deno ${Deno.version.deno}, resident memory ${
    collector() === null ? "as it is: gc() is not exposed" : "after gc()"
  }\n`,
);
console.log("     calls      runs   seconds   resident      heap");
try {
  for (let target = Math.min(EVERY, wanted); calls < wanted; target += EVERY) {
    await callUntil(Math.min(target, wanted));
    sample();
  }
} finally {
  await engine.close();
  console.log(`\nthe server: ${await server.stop()}`);
}
Deno.exit(judge());

/** Runs the workflow, many at a time, until so many calls have been made; nothing is under way then. */
async function callUntil(target: number): Promise<void> {
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    while (calls < target) {
      const run = await engine.start(workflow, {
        input: { text: "hello" },
        endpoints: { echo: server.endpoint },
      });
      const { status, error } = await run.result();
      if (status !== "completed") throw new Error(`A run is ${status}: ${error?.message}`);
      runs++;
    }
  }));
}

function sample(): void {
  collector()?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  samples.push({ calls, rss });
  const columns = [
    String(calls).padStart(10),
    String(runs).padStart(10),
    ((performance.now() - began) / 1_000).toFixed(0).padStart(10),
    megabytes(rss),
    megabytes(heapUsed),
  ];
  console.log(columns.join(""));
}

/** @returns the exit code */
function judge(): number {
  const first = samples.find((one) => one.calls >= WARM_UP);
  const later = samples.filter((one) => one.calls >= WARM_UP + EVERY);
  if (first === undefined || later.length === 0) {
    console.log(`too few calls to judge: the first ${WARM_UP} are for warming up`);
    return 0;
  }
  const end = later.slice(-3).map(({ rss }) => rss).sort((a, b) => a - b);
  const growth = (end[Math.floor(end.length / 2)] ?? Infinity) / first.rss - 1;
  const verdict = growth < LIMIT ? "flat" : "TOO MUCH";
  console.log(
    `growth after the first ${WARM_UP} calls: ${(growth * 100).toFixed(1)} % ` +
      `(the middle of the last ${end.length}; less than ${LIMIT * 100} % is wanted): ${verdict}`,
  );
  return growth < LIMIT ? 0 : 1;
}

/** V8's garbage collector, where `--v8-flags=--expose-gc` gives it. */
function collector(): (() => void) | null {
  const { gc } = globalThis as { readonly gc?: () => void }; // no type knows of the flag
  return gc ?? null;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`.padStart(11);
}
