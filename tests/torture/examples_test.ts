// Maestro is killed in the middle of orders at the services in Python, Go and Node, and goes on: each
// order is carried out or taken back, and the services' own records show every effect once.

import assert from "node:assert/strict";
import { loadWorkflow } from "../../mod.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { fromFileUrl } from "../support/paths.ts";
import { xorshift } from "../support/random.ts";
import { tempFiles } from "../support/temp_files.ts";
import { MOMENTS } from "./deadly_journal.ts";
import { runMaestro, runVictim } from "./processes.ts";
import type { Order } from "./victim.ts";

const WORKFLOW = fromFileUrl(new URL("../../examples/order_saga/workflow.yaml", import.meta.url));

const ORDERS = 200;
/** The most writes between two kills. */
const WRITES = 100;
const SEED = 1;

/** Every third order finds no carrier, and is taken back. */
function order(index: number): Order {
  const address = {
    recipient: "Ada Lovelace",
    street: "Invalidenstraße 43",
    postal_code: "10115",
    city: "Berlin",
    country_code: "DE",
  };
  return {
    id: `order-${index}`,
    input: {
      items: [{ sku: "MOUSE", quantity: 1 }],
      card_token: "tok_visa",
      address,
      simulate_no_carrier: index % 3 === 0,
    },
  };
}

/** What an order leaves in the services' records. */
const DONE = [
  "DONE inventory.v1.Inventory/Reserve reserve",
  "DONE payments.v1.Payments/Charge charge",
  "DONE shipping.v1.Shipping/Ship ship",
];
const TAKEN_BACK = [
  ...DONE.slice(0, 2),
  "UNDONE payments.v1.Payments/Refund charge",
  "UNDONE inventory.v1.Inventory/Release reserve",
];

async function recordsOf(examples: ExampleServices): Promise<Map<string, string[]>> {
  const records = new Map<string, string[]>();
  for (const { state, method, actionKey } of await examples.ledger()) {
    const [run = "", step] = actionKey.split("/");
    records.set(run, [...records.get(run) ?? [], `${state} ${method} ${step}`]);
  }
  return records;
}

exampleTest(
  `${ORDERS} orders at Python, Go and Node come to their end over kill -9 of Maestro`,
  ["python", "go", "node"],
  async (examples) => {
    const random = xorshift(SEED);
    const workflow = JSON.stringify(await loadWorkflow(WORKFLOW));
    await using files = await tempFiles({ "workflow.json": workflow });
    const { inventory = "", payments = "", shipping = "" } = examples.services.endpoints;
    const ended = new Map<string, string>();
    let kills = 0;
    for (let life = 1;; life++) {
      const write = 1 + Math.floor(random() * WRITES);
      const moment = MOMENTS[life % MOMENTS.length] ?? "after";
      const { killed, stdout } = await runVictim({
        store: files.path("store.db"),
        notes: files.path("notes"),
        workflow: files.path("workflow.json"),
        endpoints: { inventory, payments, shipping },
        orders: Array.from({ length: ORDERS }, (_, index) => order(index + 1)),
        atOnce: 20,
        fall: { run: null, write, moment, delay: random() * 1_000 },
        lies: false,
      }, { life });
      for (const [, id = "", status = ""] of stdout.matchAll(/^(order-\d+) (\w+)$/gm)) {
        ended.set(id, status);
      }
      if (!killed) break;
      kills++;
    }
    assert.ok(kills > 5, `${kills} kills`);
    console.log(`${kills} kills in ${ORDERS} orders`);

    const records = await recordsOf(examples);
    for (let index = 1; index <= ORDERS; index++) {
      const { id } = order(index);
      assert.deepEqual(records.get(id), index % 3 === 0 ? TAKEN_BACK : DONE, id);
      const status = index % 3 === 0 ? "compensated" : "completed";
      // Where the process died between the last fact and the word about it, nobody said so.
      assert.equal(ended.get(id) ?? status, status, id);
    }
  },
);

/** Orders by the command line, and how often each is killed before it is left alone. */
const COMMANDS = 6;
const KILLS = 3;
/** When a command is killed at the latest, in milliseconds: it is at work by then, or still starts. */
const LATEST = 900;

exampleTest(
  `${COMMANDS} orders come to their end over kill -9 of "maestro run" and "maestro runs resume"`,
  ["python", "go", "node"],
  async (examples) => {
    const random = xorshift(SEED);
    await using files = await tempFiles({});
    const store = ["--store", `sqlite:${files.path("store.db")}`, "--output", "json"];
    const endpoints = examples.endpoints(["inventory", "payments", "shipping"]);
    for (let index = 1; index <= COMMANDS; index++) {
      const { id, input } = order(index);
      // Given again, it goes on with the run that there is.
      const run = [WORKFLOW, "--run-id", id, "--input", JSON.stringify(input), ...endpoints];
      for (let life = 1; life <= KILLS; life++) {
        const args = life === 2 ? ["runs", "resume", ...store] : ["run", ...run, ...store];
        const killer = new AbortController();
        const timer = setTimeout(() => killer.abort(), random() * LATEST);
        await runMaestro(args, { life, signal: killer.signal });
        clearTimeout(timer);
      }
      const { code, stdout } = await runMaestro(["run", ...run, ...store], { life: KILLS + 1 });
      const isTakenBack = index % 3 === 0;
      assert.equal(JSON.parse(stdout).status, isTakenBack ? "compensated" : "completed", id);
      assert.equal(code, isTakenBack ? 1 : 0);
      assert.deepEqual((await recordsOf(examples)).get(id), isTakenBack ? TAKEN_BACK : DONE, id);
    }
  },
);
