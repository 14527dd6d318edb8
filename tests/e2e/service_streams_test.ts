// All four kinds of call, of a workflow, against the services in Go and in Python.

import assert from "node:assert/strict";
import { loadWorkflow, openEngine, type Run } from "../../mod.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { runToEnd } from "../support/running.ts";
import { tempFiles } from "../support/temp_files.ts";

interface Subject {
  readonly language: "go" | "python";
  readonly service: string;
  /** One call of each kind, each with what the one before it answered. */
  readonly kinds: string;
  /** What comes of them. */
  readonly output: unknown;
  /** The ledger: the calls that did something. */
  readonly work: readonly string[];
  /** Steps that leave three things to be listed, and the method that lists them. */
  readonly three: string;
  readonly list: string;
}

const GO: Subject = {
  language: "go",
  service: "payments",
  kinds: `
  - id: charge
    service: payments
    method: Charge
    input: { order_id: a, amount: { currency_code: EUR, minor_units: 1000 }, card_token: tok_visa }
  - id: imported
    service: payments
    method: ImportCharges
    input:
      - { order_id: b, amount: "{{ .charge.charge.amount }}", card_token: tok_visa }
      - { order_id: c, amount: { currency_code: CHF, minor_units: "9007199254740993" }, card_token: tok_visa }
  - id: charges
    service: payments
    method: ListCharges
  - id: quotes
    service: payments
    method: Quote
    input: "{{ .charges.map(c, {'amount': c.charge.amount}) }}"
output:
  imported: "{{ .imported }}"
  orders: "{{ .charges.map(c, c.charge.order_id) }}"
  all: "{{ .charges.size() }}"
  fees: "{{ .quotes.map(q, q.fee) }}"
`,
  output: {
    imported: {
      charge_count: 2,
      totals: [
        { currency_code: "CHF", minor_units: "9007199254740993" },
        { currency_code: "EUR", minor_units: "1000" },
      ],
    },
    orders: ["a", "b", "c"],
    all: 3,
    fees: [
      { currency_code: "EUR", minor_units: "39" },
      { currency_code: "EUR", minor_units: "39" },
      { currency_code: "CHF", minor_units: "126100789566399" },
    ],
  },
  work: [
    "DONE ACTION payments.v1.Payments/Charge charge",
    "DONE ACTION payments.v1.Payments/ImportCharges imported",
  ],
  three: `
  - service: payments
    method: ImportCharges
    input: "{{ ['a', 'b', 'c'].map(id, {'order_id': id, 'amount': {'minor_units': 1}, 'card_token': 'tok_visa'}) }}"
`,
  list: "ListCharges",
};

const PYTHON: Subject = {
  language: "python",
  service: "inventory",
  kinds: `
  - id: restocked
    service: inventory
    method: Restock
    input:
      - { delivery_id: d1, item: { sku: TURNTABLE, quantity: 4 } }
      - { delivery_id: d2, item: { sku: "{{ 'mouse'.upperAscii() }}", quantity: 1 } }
      - { delivery_id: d3, item: { sku: TURNTABLE, quantity: 2 } }
  - id: reserve
    service: inventory
    method: Reserve
    input: { order_id: a, items: "{{ .restocked.received }}" }
  - id: reservations
    service: inventory
    method: ListReservations
    input: { sku: TURNTABLE }
  - id: checked
    service: inventory
    method: CheckStock
    input: "{{ .reservations[0].reservation.items.map(i, {'item': i}) }}"
output:
  restocked: "{{ .restocked }}"
  orders: "{{ .reservations.map(r, r.reservation.order_id) }}"
  all: "{{ .reservations.size() }}"
  enough: "{{ .checked.map(c, c.enough) }}"
`,
  output: {
    restocked: {
      delivery_count: 3,
      received: [{ sku: "MOUSE", quantity: 1 }, { sku: "TURNTABLE", quantity: 6 }],
    },
    orders: ["a"],
    all: 1,
    enough: [true, false],
  },
  work: [
    "DONE ACTION inventory.v1.Inventory/Restock restocked",
    "DONE ACTION inventory.v1.Inventory/Reserve reserve",
  ],
  three: ["a", "b", "c"].map((order) => `
  - service: inventory
    method: Reserve
    input: { order_id: ${order}, items: [{ sku: MOUSE, quantity: 1 }] }
`).join(""),
  list: "ListReservations",
};

for (const subject of [GO, PYTHON]) {
  exampleTest(
    `streams of the services in ${subject.language}`,
    [subject.language],
    async (examples, t) => {
      const { service } = subject;
      const endpoint = examples.services.endpoints[service];
      const head =
        `name: streams\nservices: { ${service}: { endpoint: "${endpoint}", circuit_breaker: false } }\n`;
      const text = (steps: string) => `${head}steps:${steps}`;

      await t.step("a workflow makes all four kinds of call, with lists in and out", async () => {
        const report = await runToEnd(text(subject.kinds), { runId: "kinds" });
        assert.equal(report.status, "completed", JSON.stringify(report.error));
        assert.deepEqual(report.output, subject.output);
        const work = await examples.ledger("kinds");
        assert.deepEqual(
          work.map(({ state, operation, method, actionKey }) =>
            `${state} ${operation} ${method} ${actionKey}`
          ),
          subject.work.map((done) => done.replace(/(\S+)$/, "kinds/$1/action")),
        );
      });

      await t.step("a stream of more than max_messages fails, and ends at the server", async () => {
        await examples.reset();
        const follow =
          `  - { id: list, service: ${service}, method: ${subject.list}, max_messages: 2, input: { follow: true } }\n`;
        const report = await runToEnd(text(`${subject.three}${follow}`), { runId: "many" });
        assert.equal(report.status, "failed");
        assert.equal(report.error?.step, "list");
        assert.equal(report.error.code, "RESOURCE_EXHAUSTED");
        assert.match(report.error.message, /more than 2 messages, its "max_messages"/);
        await streamsEnd(examples, "many");
      });

      await t.step("exactly max_messages is not too many", async () => {
        const list =
          `\n  - { id: list, service: ${service}, method: ${subject.list}, max_messages: 3 }\n`;
        const report = await runToEnd(`${text(list)}output: "{{ .list.size() }}"\n`);
        assert.equal(report.output, 3, JSON.stringify(report.error));
      });

      await t.step(
        "a deadline ends a stream in its middle, and it is not asked again",
        async () => {
          const follow = `
  - id: list
    service: ${service}
    method: ${subject.list}
    input: { follow: true }
    attempt_timeout: 1s
    retry: { attempts: 3, initial_delay: 10ms }
`;
          const report = await runToEnd(text(follow), { runId: "late" });
          assert.equal(report.status, "failed");
          assert.equal(report.error?.code, "DEADLINE_EXCEEDED");
          // Three messages had come back.
          assert.equal(report.error.attempts, 1);
          await streamsEnd(examples, "late");
        },
      );

      await t.step("a deadline is told as one, whichever side ends the call first", async () => {
        const follow =
          `\n  - { id: list, service: ${service}, method: ${subject.list}, input: { follow: true }, attempt_timeout: 50ms }\n`;
        await using files = await tempFiles({ "short.yaml": text(follow) });
        const workflow = await loadWorkflow(files.path("short.yaml"));
        const engine = openEngine();
        const codes = new Set<string | undefined>();
        try {
          for (let round = 0; round < 20; round++) {
            const runs = Array.from({ length: 10 }, () => engine.start(workflow));
            for (const run of runs) codes.add((await (await run).result()).error?.code);
          }
        } finally {
          await engine.close();
        }
        assert.deepEqual([...codes], ["DEADLINE_EXCEEDED"]);
      });

      await t.step("a cancelled run ends its stream at the server", async () => {
        const follow =
          `\n  - { id: list, service: ${service}, method: ${subject.list}, input: { follow: true } }\n`;
        const seen: string[][] = [];
        const report = await runToEnd(text(follow), { runId: "stopped" }, async (run: Run) => {
          seen.push(await streamsOpen(examples, "stopped"));
          await run.cancel("test");
          await run.result();
          // Before the engine closes: that would end the stream too.
          await streamsEnd(examples, "stopped");
        });
        assert.deepEqual(seen.map(([method]) => method?.split("/")[1]), [subject.list]);
        assert.equal(report.status, "cancelled");
      });
    },
  );
}

/** The run's open streams, once there are some. */
async function streamsOpen(examples: ExampleServices, runId: string): Promise<string[]> {
  for (;;) {
    const streams = await examples.streams(runId);
    if (streams.length > 0) return streams;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until none of the run's streams is open any more; they would stay so for ever. */
async function streamsEnd(examples: ExampleServices, runId: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const streams = await examples.streams(runId);
    if (streams.length === 0) return;
    assert.ok(Date.now() < deadline, `open are still: ${streams}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
