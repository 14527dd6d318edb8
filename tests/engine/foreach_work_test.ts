/**
 * The work that an item of a `foreach` makes does not grow with the number of items. Time is measured
 * in `bench/foreach.ts`; here what is looked up and walked through is counted, which no slow machine
 * changes.
 */
import assert from "node:assert/strict";
import { JumpingClock } from "../support/clock.ts";
import { workflowOf } from "../support/engines.ts";
import { answers } from "../support/restarts.ts";
import { World } from "../support/world.ts";
import { Engine } from "../../src/engine/engine.ts";
import { memoryJournal } from "../../src/store/memory.ts";

const SERVICES = `services: { shop: { endpoint: "shop:1" } }`;
const CALL = `id: label, service: shop, method: Label, input: { item: "{{ .item }}" }`;
const UNDO = `compensate: { method: Undo }`;

const FORMS = {
  "a call, one after the other": `
    steps: [ { ${CALL} } ]`,
  "calls and a wait, five at a time": `
    concurrency: 5
    steps: [ { ${CALL} }, { wait: 1s }, { id: again, ${CALL.replace("id: label, ", "")} } ]`,
  "a block whose catch undoes it": `
    concurrency: 5
    steps:
      - steps: [ { ${CALL}, ${UNDO} }, { fail: { code: ABORTED, message: no } } ]
        catch: [ { undo: true } ]`,
  "a call that is undone in the end": `
    steps: [ { ${CALL}, ${UNDO} } ]
  - fail: { code: ABORTED, message: no }`,
  "steps that undo a call in the end": `
    steps: [ { ${CALL}, compensate: { steps: [ { service: shop, method: Undo }, { service: shop, method: Undo } ] } } ]
  - fail: { code: ABORTED, message: no }`,
} as const;

/** Counts what maps are asked for and what is walked through of them, while something is done. */
async function counting(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const map = Map.prototype;
  const { get, values, entries } = map;
  const walk = function* <T>(items: Iterable<T>): MapIterator<T> {
    for (const item of items) {
      count++;
      yield item;
    }
  };
  map.get = function (key) {
    count++;
    return get.call(this, key);
  };
  map.values = function () {
    return walk(values.call(this));
  };
  map.entries = map[Symbol.iterator] = function () {
    return walk(entries.call(this));
  };
  try {
    await work();
    return count;
  } finally {
    map.get = get;
    map.values = values;
    map.entries = map[Symbol.iterator] = entries;
  }
}

/** What a run over so many items, and its report, cost. */
async function workOf(form: string, size: number): Promise<number> {
  const clock = new JumpingClock();
  const world = new World({ "shop/Label": answers, "shop/Undo": answers }, clock);
  const engine = new Engine({ caller: world.caller(), journal: memoryJournal(), clock });
  const workflow = workflowOf(`name: each
${SERVICES}
steps:
  - id: each
    foreach: "{{ .input.items }}"${form}
`);
  const items = Array.from({ length: size }, (_, index) => index);
  try {
    return await counting(async () => {
      const run = await engine.start(workflow, { runId: "r", input: { items } });
      const { status, steps } = await run.result();
      assert.equal(status, form.includes("- fail") ? "compensated" : "completed");
      assert.ok(steps.length >= size);
    });
  } finally {
    await engine.close();
    clock.stop();
  }
}

for (const [name, form] of Object.entries(FORMS)) {
  Deno.test(`an item of a foreach makes the same work, however many there are: ${name}`, async () => {
    await workOf(form, 20);
    const [few, many] = [await workOf(form, 100), await workOf(form, 1_000)];
    const growth = many / 1_000 / (few / 100);
    assert.ok(growth < 1.1, `the work of an item grew by ${growth.toFixed(2)}`);
  });
}
