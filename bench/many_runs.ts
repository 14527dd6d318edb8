/**
 * Whether a store of many ended runs is as quick as an empty one: to look at, to start runs in, and
 * while a tenth of it is pruned.
 *
 * `deno task bench:runs [runs, default 1000000]`
 */
import { Engine, sqliteJournal } from "../mod.ts";
import { fillStore } from "./full_store.ts";
import { loadText } from "./load_text.ts";
import { measure, type Measured, median } from "./measure.ts";
import { noopCaller } from "./noop_caller.ts";

const [runs = 1_000_000] = Deno.args.map(Number);
/** How often each is measured. */
const TIMES = 7;
/** How many runs are under way at once. */
const CONCURRENCY = 50;

const workflow = loadText(
  `name: order
services: { echo: { endpoint: "echo:1" } }
steps:
  - { id: first, service: echo, method: Say, input: { text: "{{ .input.text }}" } }
  - { id: second, service: echo, method: Say, input: { text: "{{ .first.text }}" } }
`,
  {},
);
const maestro = new URL("../mod.ts", import.meta.url).pathname;
const folder = await Deno.makeTempDir();
try {
  const full = `${folder}/full.db`;
  const id = await fillStore(full, runs);
  const size = (await Deno.stat(full)).size / 1024 / 1024;
  console.log(`deno ${Deno.version.deno}, ${runs} ended runs, ${size.toFixed(0)} MB`);
  await compareLooks(full, id);
  await compareStarts(`${folder}/empty.db`, full);
  await pruneTenth(full);
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** Whole processes; the first figure is what every one of them costs. */
async function compareLooks(file: string, id: string): Promise<void> {
  const looks = [
    ["--version"],
    ["runs", "list"],
    ["runs", "list", "--status", "failed"],
    ["runs", "list", "--status", "running"],
    ["runs", "list", "--workflow", "refund"],
    ["runs", "list", "--workflow", "refund", "--status", "completed"],
    ["runs", "list", "--since", "1h"],
    ["runs", "show", id],
  ];
  console.log(`\na whole process (median of ${TIMES})`);
  for (const look of looks) {
    const args = look.length === 1 ? look : [...look, "--store", `sqlite:${file}`];
    await time(args);
    const times: number[] = [];
    for (let run = 0; run < TIMES; run++) times.push(await time(args));
    console.log(
      `  maestro ${look.join(" ").padEnd(60)} ${median(times).toFixed(0).padStart(4)} ms`,
    );
  }
}

/** @returns milliseconds */
async function time(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", maestro, ...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - began;
}

/** In turn: the empty store is not empty for long, but small. */
async function compareStarts(empty: string, full: string): Promise<void> {
  const sides = [empty, full].map((file) => ({ engine: open(file), figures: [] as Measured[] }));
  for (const { engine } of sides) await load(engine, 1_000);
  for (let turn = 0; turn < TIMES; turn++) {
    for (const { engine, figures } of turn % 2 === 0 ? sides : sides.toReversed()) {
      figures.push(await load(engine, 2_000));
    }
  }
  for (const { engine } of sides) await engine.close();
  const [inEmpty = [], inFull = []] = sides.map(({ figures }) =>
    figures.map(({ callsPerSecond }) => callsPerSecond / 2)
  );
  const ratios = inFull.map((rate, turn) => rate / (inEmpty[turn] ?? NaN));
  console.log(
    `\nruns of two steps, concurrency ${CONCURRENCY} (median of ${TIMES})\n` +
      `  in an empty store ${median(inEmpty).toFixed(0)} runs/s, in the full one ${
        median(inFull).toFixed(0)
      } runs/s, ratio ${median(ratios).toFixed(2)}`,
  );
}

/** Another process prunes while this one starts runs. */
async function pruneTenth(file: string): Promise<void> {
  const engine = open(file);
  const before = await load(engine, 3_000);
  const began = performance.now();
  let isOver = false;
  const pruning = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      maestro,
      "runs",
      "prune",
      "--older-than",
      "27d",
      "--store",
      `sqlite:${file}`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output().finally(() => isOver = true);
  const times: number[] = [];
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    while (!isOver) {
      const start = performance.now();
      await (await engine.start(workflow, { input: { text: "hello" } })).result();
      times.push(performance.now() - start);
    }
  }));
  const seconds = (performance.now() - began) / 1_000;
  const { stdout } = await pruning;
  await engine.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.ceil(times.length * share) - 1] ?? NaN).toFixed(0);
  console.log(
    `\npruned in ${seconds.toFixed(1)} s while others start runs: ${
      new TextDecoder().decode(stdout).trim()
    }\n  a run meanwhile: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms ` +
      `(${(times.length / seconds).toFixed(0)} runs/s); before: p50 ${before.p50.toFixed(0)} ms, ` +
      `p99 ${before.p99.toFixed(0)} ms (${(before.callsPerSecond / 2).toFixed(0)} runs/s)`,
  );
}

function open(file: string): Engine {
  return new Engine({ caller: noopCaller, journal: sqliteJournal(file) });
}

function load(engine: Engine, milliseconds: number): Promise<Measured> {
  return measure(
    async () => {
      const run = await engine.start(workflow, { input: { text: "hello" } });
      await run.result();
    },
    { concurrency: CONCURRENCY, milliseconds },
  );
}
