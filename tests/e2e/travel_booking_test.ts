// examples/travel_booking, by the real program, against services in every language.

import assert from "node:assert/strict";
import { maestro } from "../cli/program.ts";
import { type ExampleServices, exampleTest } from "../support/example_services.ts";
import { losingPayments } from "../support/losing_payments.ts";
import { fromFileUrl } from "../support/paths.ts";

const FOLDER = fromFileUrl(new URL("../../examples/travel_booking", import.meta.url));
const SERVICES = ["inventory", "payments", "shipping", "rewards", "mail"];

/** Books a trip. @returns its exit code, its report, and `DONE Method` of what the services did */
async function book(
  examples: ExampleServices,
  input: string,
  more: readonly string[] = [],
) {
  const { code, stdout, stderr } = await maestro(
    [
      "run",
      "workflow.yaml",
      "--input",
      `@${input}`,
      "--store",
      "memory",
      "--output",
      "json",
      ...examples.endpoints(SERVICES),
      ...more,
    ],
    { cwd: FOLDER },
  );
  assert.notEqual(stdout, "", stderr);
  const report = JSON.parse(stdout);
  const entries = await examples.ledger(report.run_id);
  const done = entries.map(({ state, method, actionKey }) =>
    `${state} ${method.replace(/^.*\//, "")} ${actionKey.split("/")[1]}`
  );
  return { code, report, stderr, done };
}

/** What a run did before it paid or turned back: its bookings may end in any order. */
function bookings(done: readonly string[], many: number): readonly string[] {
  return done.slice(0, many).toSorted();
}

Deno.test("travel_booking is right, without a warning", async () => {
  const { code, stderr } = await maestro(["validate", "--strict", "workflow.yaml"], {
    cwd: FOLDER,
  });
  assert.equal(code, 0, stderr);
});

for (const languages of [["deno"], ["python", "go", "node"]] as const) {
  exampleTest(`travel_booking against services in ${languages.join(", ")}`, languages, async (
    examples,
    t,
  ) => {
    await t.step("books side by side, pays, and sends the ticket", async () => {
      const { code, report, done } = await book(examples, "input.json");
      assert.equal(code, 0);
      const { luggage, ticket, ...output } = report.output;
      assert.deepEqual(output, {
        trip_id: `trip-${report.run_id}`,
        hotel: "HOTEL_HARBOUR",
        // 2 × 189.00 + 245.00, added up as int64.
        charged: { currency_code: "EUR", minor_units: "62300" },
      });
      assert.match(luggage, /^tr_./);
      assert.match(ticket, /^em_./);
      assert.deepEqual([...bookings(done, 3), ...done.slice(3)], [
        "DONE Reserve bookings.flight",
        "DONE Reserve bookings.hotel",
        "DONE Ship bookings.luggage",
        "DONE Charge pay",
        "DONE GrantPerks perks",
        "DONE SendWelcome ticket",
      ]);
    });

    await t.step(
      "takes the other hotel where the first is full, and perks that are there",
      async () => {
        const { code, report, done } = await book(examples, "input_fallback.json");
        assert.equal(code, 0);
        assert.equal(report.output.hotel, "HOTEL_GARDEN");
        assert.deepEqual([...bookings(done, 3), ...done.slice(3)], [
          "DONE Reserve bookings.flight",
          "DONE Reserve bookings.hotel.catch[0].other_hotel",
          "DONE Ship bookings.luggage",
          "DONE Charge pay",
          // The traveller of the first trip has them already: the step's catch takes that.
          "DONE SendWelcome ticket",
        ]);
      },
    );

    await t.step("carries the luggage by hand where no carrier takes it", async () => {
      const { code, report } = await book(examples, "input.json", [
        "--set",
        "simulate_no_carrier=true",
      ]);
      assert.equal(code, 0);
      assert.equal(report.output.luggage, "by hand");
    });

    await t.step("gives everything back, the fallback too, when the card is declined", async () => {
      const { code, report, done } = await book(examples, "input_failing.json");
      assert.equal(code, 1);
      assert.equal(report.status, "compensated");
      assert.equal(report.error.step, "pay");
      assert.equal(report.error.reason, "CARD_DECLINED");
      const undone = (line = "") =>
        line.replace("DONE Reserve", "UNDONE Release").replace(
          "DONE Ship",
          "UNDONE CancelShipment",
        );
      assert.deepEqual(bookings(done, 3), [
        "DONE Reserve bookings.flight",
        "DONE Reserve bookings.hotel.catch[0].other_hotel",
        "DONE Ship bookings.luggage",
      ]);
      // Which of the three was answered last, and is undone first, the services can't tell.
      assert.deepEqual(done.slice(3).toSorted(), done.slice(0, 3).map(undone).toSorted());
    });

    await t.step(
      "waits for an operator, with exit code 3, where a step fails after it is paid",
      async () => {
        // Nobody listens there. The last of two wins.
        const { code, report, stderr, done } = await book(examples, "input.json", [
          "--endpoint",
          "mail=127.0.0.1:9",
        ]);
        assert.equal(code, 3);
        assert.equal(report.status, "needs_attention");
        assert.deepEqual(
          report.attention.map((
            { step, op, error }: { step: string; op: string; error: { code: string } },
          ) => [step, op, error.code]),
          [["ticket", "action", "UNAVAILABLE"]],
        );
        assert.deepEqual(done.filter((line) => !line.startsWith("DONE")), [], "nothing is undone");
        assert.match(stderr, /"ticket" cannot go on: UNAVAILABLE/);
      },
    );

    await t.step(
      "goes on when verify finds that the card was charged, though the answers got lost",
      async () => {
        const endpoint = examples.services.endpoints.payments ?? "";
        await examples.reset(); // there are rooms again
        await using wire = await losingPayments(endpoint, "answer");
        const { code, report, done } = await book(examples, "input.json", [
          "--endpoint",
          `payments=${wire.endpoint}`,
        ]);
        assert.equal(code, 0);
        assert.equal(report.output.charged.minor_units, "62300");
        assert.equal(done.filter((line) => line.startsWith("DONE Charge")).length, 1);
        const pay = report.steps.find(({ id }: { id: string }) => id === "pay");
        assert.equal(pay.outcome, "completed");
        assert.equal(pay.attempts, 3);
      },
    );

    await t.step("turns back when verify finds that it was not, and never will be", async () => {
      const endpoint = examples.services.endpoints.payments ?? "";
      await examples.reset(); // there are rooms again
      await using wire = await losingPayments(endpoint, "call");
      const { code, report, done } = await book(examples, "input.json", [
        "--endpoint",
        `payments=${wire.endpoint}`,
      ]);
      assert.equal(code, 1);
      assert.equal(report.status, "compensated");
      assert.equal(report.error.code, "UNAVAILABLE");
      assert.equal(report.error.outcome, "rejected");
      assert.equal(done[3], "VOID GetCharge pay");
      assert.equal(done.filter((line) => line.startsWith("UNDONE")).length, 3);
    });
  });
}
