/**
 * What one item of a `foreach` costs, and what memory its run takes, by the number of items: neither
 * may grow with it. The service is in memory and answers at once, so that only Maestro is measured.
 *
 * `deno task bench:foreach [most items, default 10000]`
 */
import process from "node:process";
import { Engine } from "../src/engine/engine.ts";
import type { RunReport } from "../src/engine/report.ts";
import type { Workflow } from "../src/workflow/model.ts";
import { loadText } from "./load_text.ts";
import { forgetfulJournal } from "./forgetful_journal.ts";
import { median } from "./measure.ts";
import { noopCaller } from "./noop_caller.ts";

/** What is done for each item. */
const FORMS = {
  "one call": `
    steps: [ { id: label, service: shop, method: Label, input: { item: "{{ .item }}", tenant: "{{ .input.tenant }}" } } ]
    result: "{{ .label.item }}"`,
  "ten at a time": `
    concurrency: 10
    steps: [ { id: label, service: shop, method: Label, input: { item: "{{ .item }}" } } ]
    result: "{{ .label.item }}"`,
  "a block whose catch undoes it": `
    concurrency: 10
    steps:
      - id: block
        steps:
          - { id: label, service: shop, method: Label, input: { item: "{{ .item }}" }, compensate: { method: Unlabel } }
          - fail: { code: ABORTED, message: "{{ .item }}" }
        catch: [ { undo: true, result: { item: "{{ .item }}" } } ]
    result: "{{ .block.item }}"`,
  "a call that is undone in the end": `
    concurrency: 10
    steps: [ { id: label, service: shop, method: Label, input: { item: "{{ .item }}" }, compensate: { method: Unlabel } } ]
    result: "{{ .label.item }}"
  - fail: { code: ABORTED, message: no }`,
  "steps that undo a call in the end": `
    steps:
      - id: label
        service: shop
        method: Label
        compensate: { steps: [ { service: shop, method: Unlabel }, { service: shop, method: Unlabel } ] }
  - fail: { code: ABORTED, message: no }`,
  "a child run": `
    concurrency: 10
    steps: [ { id: child, workflow: child.yaml, input: { item: "{{ .item }}" } } ]
    result: "{{ .child }}"`,
} as const;

const CHILD = `name: child
services: { shop: { endpoint: "shop:1" } }
steps: [ { id: label, service: shop, method: Label, input: { item: "{{ .input.item }}" } } ]
output: "{{ .label.item }}"
`;

const most = Number(Deno.args[0] ?? 10_000);
const sizes = [100, 1_000, 10_000].filter((size) => size <= most);
/** How often each size is measured, in turn. */
const ROUNDS = 5;
/** How many items are done for one figure, at the least: a run of few is repeated. */
const ITEMS = 2_000;

async function compare(name: string, form: string): Promise<void> {
  const loads = sizes.map((size) => new Load(form, size));
  for (const load of loads) await load.check();
  for (let round = 0; round < ROUNDS; round++) {
    for (const load of loads) await load.measure();
  }
  console.log(name);
  const first = median(loads[0]?.times ?? []);
  for (const load of loads) {
    const time = median(load.times);
    const { kept, resident } = await load.memory();
    console.log(
      `  ${String(load.size).padStart(6)} items  ${time.toFixed(1).padStart(6)} µs an item` +
        ` (${(time / first).toFixed(2)} of that of ${sizes[0]})   ` +
        `${kept.toFixed(1).padStart(5)} MB for its report, ${resident.toFixed(0)} MB resident`,
    );
    await load.close();
  }
}

/** A workflow over so many items. */
class Load {
  /** Of one item, in microseconds. */
  readonly times: number[] = [];
  readonly size: number;
  readonly #form: string;
  readonly #items: readonly number[];
  readonly #workflow: Workflow;
  readonly #engine = new Engine({ caller: noopCaller, journal: forgetfulJournal(() => {}) });

  constructor(form: string, size: number) {
    this.size = size;
    this.#form = form;
    this.#items = Array.from({ length: size }, (_, index) => index);
    const text = `name: each
services: { shop: { endpoint: "shop:1" } }
steps:
  - id: each
    foreach: "{{ .input.items }}"${form}
`;
    this.#workflow = loadText(text, { "child.yaml": CHILD });
  }

  /** The results are in the items' order. */
  async check(): Promise<void> {
    const { status, output, steps } = await this.#run();
    if (steps.length < this.size) throw new Error("Steps are missing");
    if (status === "completed" && JSON.stringify(output) === JSON.stringify(this.#items)) return;
    if (status === "compensated" && this.#form.includes("message: no")) return;
    throw new Error(`The run is ${status}, or its results are not in the items' order`);
  }

  async measure(): Promise<void> {
    const runs = Math.ceil(ITEMS / this.size);
    const before = processorTime();
    for (let run = 0; run < runs; run++) {
      const report = await this.#run();
      if (report.steps.length < this.size) throw new Error("Steps are missing");
    }
    this.times.push((processorTime() - before) / runs / this.size);
  }

  /** What is left in memory of a run while somebody holds its report, in MB, and all there is. */
  async memory(): Promise<{ kept: number; resident: number }> {
    const before = heap();
    const report = await this.#run();
    const kept = heap() - before;
    if (report.finished_at === null) throw new Error("It has not ended");
    return { kept: kept / 1_048_576, resident: Deno.memoryUsage().rss / 1_048_576 };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #run(): Promise<RunReport> {
    const input = { items: this.#items, tenant: "t" };
    return await (await this.#engine.start(this.#workflow, { input })).result();
  }
}

/** What this process has used of the processor, in microseconds: others on the machine don't count. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function heap(): number {
  const { gc } = globalThis as { gc?: () => void }; // there with --expose-gc
  gc?.();
  return Deno.memoryUsage().heapUsed;
}

console.log(`deno ${Deno.version.deno}; time of the processor, the median of ${ROUNDS} figures\n`);
for (const [name, form] of Object.entries(FORMS)) await compare(name, form);
