/**
 * What durability costs: the same workflow with the journal in memory and with the one in a SQLite
 * file, in turn; two steps over gRPC, and ten steps with a caller that answers at once.
 *
 * `deno task bench:durable [seconds per figure, default 3] [pairs, default 5]`
 */
import process from "node:process";
import { Engine, type Journal, memoryJournal, type Workflow } from "../mod.ts";
import { loadWorkflow, openEngine, sqliteJournal } from "../mod.ts";
import { loadText } from "./load_text.ts";
import { measure, type Measured, median } from "./measure.ts";
import { noopCaller } from "./noop_caller.ts";
import { startServer } from "./server_process.ts";

const [seconds = 3, pairs = 5] = Deno.args.map(Number);

/** What is compared. */
interface Load {
  readonly name: string;
  readonly workflow: Workflow;
  /** How many steps it has. */
  readonly steps: number;
  /** Where its service is; left out: it is asked for at once, in this process. */
  readonly endpoint?: string;
  readonly concurrency: number;
}

const TEN_STEPS = loadText(
  `name: ten_steps
services: { echo: { endpoint: "echo:1" } }
steps:
${
    Array.from(
      { length: 10 },
      (_, index) =>
        `  - { id: s${index}, service: echo, method: Say, input: { text: "{{ .input.text }}" } }`,
    ).join("\n")
  }
`,
  {},
);

async function compare(load: Load): Promise<void> {
  const { name, concurrency, steps } = load;
  const memory = new Side(load, memoryJournal());
  const file = `${folder}/${crypto.randomUUID()}.db`;
  const sqlite = new Side(load, sqliteJournal(file));
  for (const side of [memory, sqlite]) await side.warmUp();
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of pair % 2 === 0 ? [memory, sqlite] : [sqlite, memory]) await side.measure();
  }
  console.log(`\n${name}, concurrency ${concurrency} (median of ${pairs})`);
  memory.print("memory");
  sqlite.print("sqlite");
  const of = (side: Side, key: keyof Measured) => side.figures.map((figure) => figure[key]);
  const ratios = of(sqlite, "callsPerSecond")
    .map((rate, pair) => rate / (of(memory, "callsPerSecond")[pair] ?? NaN));
  const added = of(sqlite, "p50").map((p50, pair) =>
    (p50 - (of(memory, "p50")[pair] ?? NaN)) / steps
  );
  console.log(
    `  ratio sqlite/memory: ${median(ratios).toFixed(2)}   p50 added a step: ${
      median(added).toFixed(2)
    } ms`,
  );
  await memory.close();
  await sqlite.close();
}

/** A workflow with one of the journals. */
class Side {
  readonly figures: Measured[] = [];
  /** Of the processor a step, in microseconds: others on the machine don't count. */
  readonly #processor: number[] = [];
  readonly #load: Load;
  readonly #engine: Engine;

  constructor(load: Load, journal: Journal) {
    this.#load = load;
    this.#engine = load.endpoint === undefined
      ? new Engine({ caller: noopCaller, journal })
      : openEngine({ journal });
  }

  async warmUp(): Promise<void> {
    const { concurrency } = this.#load;
    await measure(() => this.#run(), { concurrency, milliseconds: 1_000 });
  }

  async measure(): Promise<void> {
    const { concurrency, steps: calls } = this.#load;
    const before = process.cpuUsage();
    let rounds = 0;
    const round = async () => {
      await this.#run();
      rounds++;
    };
    this.figures.push(await measure(round, { concurrency, milliseconds: seconds * 1_000, calls }));
    const { user, system } = process.cpuUsage(before);
    this.#processor.push((user + system) / rounds / calls);
  }

  print(name: string): void {
    const of = (key: keyof Measured) => median(this.figures.map((figure) => figure[key]));
    console.log(
      `  ${name} ${of("callsPerSecond").toFixed(0).padStart(6)} steps/s` +
        `   p50 ${of("p50").toFixed(2)} ms   p99 ${of("p99").toFixed(2)} ms a run` +
        `   ${median(this.#processor).toFixed(0).padStart(4)} µs of the processor a step`,
    );
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #run(): Promise<void> {
    const { workflow, endpoint } = this.#load;
    const run = await this.#engine.start(workflow, {
      input: { text: "hello" },
      ...(endpoint !== undefined && { endpoints: { echo: endpoint } }),
    });
    const { status, error } = await run.result();
    if (status !== "completed") throw new Error(`${status}: ${error?.message}`);
  }
}

const server = await startServer("server.ts");
const folder = await Deno.makeTempDir();
try {
  const { endpoint } = server;
  const workflow = await loadWorkflow(new URL("two_calls.yaml", import.meta.url).pathname);
  console.log(`deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`);
  for (const concurrency of [1, 50]) {
    await compare({ name: "two steps over gRPC", workflow, steps: 2, endpoint, concurrency });
  }
  for (const concurrency of [1, 50, 200]) {
    await compare({
      name: "ten steps, the engine alone",
      workflow: TEN_STEPS,
      steps: 10,
      concurrency,
    });
  }
} finally {
  await server.stop();
  await Deno.remove(folder, { recursive: true });
}
