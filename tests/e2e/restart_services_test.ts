// The services are killed in the middle of 500 runs and started again where they were: all runs
// complete, and the services' own records show every effect once.

import assert from "node:assert/strict";
import { loadWorkflow, openEngine, type RunReport } from "../../mod.ts";
import { lacksTools, startExamples } from "../support/example_services.ts";
import { tempFiles } from "../support/temp_files.ts";

const RUNS = 500;
const CONCURRENCY = 50;

/**
 * What is killed, once so many runs have ended: twice each, since what a kill meets differs. Some
 * calls have not arrived, some are under way, some are done and their answers get lost.
 */
const KILLS = [
  [60, "python"],
  [120, "go"],
  [180, "node"],
  [240, "python"],
  [300, "go"],
  [360, "node"],
] as const;

/** A step at each of the services, and what it leaves in their records. */
const STEPS = {
  reserve: "inventory.v1.Inventory/Reserve",
  charge: "payments.v1.Payments/Charge",
  ship: "shipping.v1.Shipping/Ship",
};

function workflow(endpoints: Readonly<Record<string, string>>): string {
  return `name: restart
defaults:
  attempt_timeout: 5s
  retry: { attempts: 10, initial_delay: 100ms, max_delay: 1s }
  circuit_breaker: { open_for: 200ms, max_open_for: 1s }
services:
  inventory: { endpoint: "${endpoints.inventory}" }
  payments: { endpoint: "${endpoints.payments}" }
  shipping: { endpoint: "${endpoints.shipping}" }
steps:
  - id: reserve
    service: inventory
    method: Reserve
    input: { order_id: "{{ .run.id }}", items: [{ sku: MOUSE, quantity: 1 }] }
    output: reserved
  - id: charge
    service: payments
    method: Charge
    input: { order_id: "{{ .run.id }}", amount: "{{ .reserved.reservation.total }}", card_token: tok_visa }
  - id: ship
    service: shipping
    method: Ship
    input: { order_id: "{{ .run.id }}", address: { country_code: DE } }
`;
}

const NAME = `${RUNS} runs complete over a kill -9 of each service, and nothing is done twice`;

Deno.test({
  name: NAME,
  ignore: lacksTools(NAME, ["python", "go", "node"]),
  async fn() {
    await using data = await tempFiles({});
    await using examples = await startExamples({ ports: "lasting", directory: data.directory });
    const { services } = examples;
    await using files = await tempFiles({ "restart.yaml": workflow(services.endpoints) });
    const loaded = await loadWorkflow(files.path("restart.yaml"));
    await using engine = Object.assign(openEngine(), {
      [Symbol.asyncDispose]: () => engine.close(),
    });

    const reports: RunReport[] = [];
    const progress = new Progress();
    let begun = 0;
    async function runAfterRun(): Promise<void> {
      while (begun < RUNS) {
        const run = await engine.start(loaded, { runId: `run-${++begun}` });
        reports.push(await run.result());
        progress.advance();
      }
    }
    async function killInTurn(): Promise<void> {
      for (const [ended, language] of KILLS) {
        await progress.reaches(ended);
        await services.kill(language);
        await services.restart(language);
      }
    }
    await Promise.all([killInTurn(), ...Array.from({ length: CONCURRENCY }, runAfterRun)]);

    const failed = reports.filter(({ status }) => status !== "completed");
    assert.deepEqual(failed.map(({ run_id, error }) => [run_id, error]), []);
    for (const id of Object.keys(STEPS)) {
      const again = reports.flatMap(({ steps }) => steps)
        .filter((step) => step.id === id && step.attempts > 1);
      assert.ok(again.length > 0, `nobody met the restart at "${id}"`);
    }
    const expected = Array.from(
      { length: RUNS },
      (_, index) =>
        Object.entries(STEPS).map(([id, method]) =>
          `DONE ACTION ${method} run-${index + 1}/${id}/action`
        ),
    ).flat();
    const done = (await examples.ledger()).map(({ state, operation, method, actionKey }) =>
      `${state} ${operation} ${method} ${actionKey}`
    );
    assert.deepEqual(done.toSorted(), expected.toSorted());
  },
});

/** How many runs have ended. */
class Progress {
  #ended = 0;
  readonly #waiting = new Map<number, () => void>();

  advance(): void {
    this.#waiting.get(++this.#ended)?.();
  }

  /** Resolves when so many have ended. */
  reaches(count: number): Promise<void> {
    if (this.#ended >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(count, resolve));
  }
}
