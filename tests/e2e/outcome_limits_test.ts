// What a step came to that ran into a limit, or never left, seen through what is undone:
// semantics.md §3.

import assert from "node:assert/strict";
import {
  cameTo,
  type Doubtful,
  doubtfulWorkflow,
  playDoubtful,
  undone,
} from "../support/doubtful_step.ts";
import { workflowOf } from "../support/engines.ts";
import { startServer } from "../support/grpc_server.ts";
import { until } from "../support/heard.ts";
import { answerFrames, startFrames } from "../support/raw_http2.ts";
import { startTcp } from "../support/raw_server.ts";
import {
  BUY,
  failing,
  freeEndpoint,
  Gate,
  inTurn,
  never,
  openShop,
  WATCH,
} from "../support/shop_runs.ts";

for (
  const [answer, outcome] of [["FAILED_PRECONDITION", "rejected"], ["INTERNAL", "unknown"]] as const
) {
  Deno.test(`a step that found nobody, and then is answered ${answer}, is ${outcome}`, async () => {
    const endpoint = await freeEndpoint();
    await using runs = await openShop({ lingers: 1_300 });
    const settings = "circuit_breaker: false, " +
      "retry: { attempts: 1000, initial_delay: 20ms, backoff: constant }";
    const text = doubtfulWorkflow(runs.shop.endpoint, endpoint, { settings });
    let failed = 0;
    const run = await runs.engine.start(workflowOf(text), {
      onHappening: (event) => {
        if (event.kind === "attempt_ended" && event.outcome === "not_sent") failed++;
      },
    });
    await until("it found nobody", () => failed > 0);
    await using _late = await startServer({
      scripts: { [BUY]: inTurn(failing(answer)) },
      address: endpoint,
    });
    cameTo(runs, await run.result(), outcome);
  });
}

Deno.test("a step that may have happened, and then finds nobody, is unknown: it is undone", async () => {
  await using runs = await openShop({ lingers: 1_300 });
  const bad = await startFrames((stream) => {
    answerFrames(stream, new Uint8Array(), { "grpc-status": "14" });
    void stream.seen().then(() => bad[Symbol.asyncDispose]());
  });
  const settings = "retry: { attempts: 3, initial_delay: 300ms, backoff: constant, jitter: 0 }";
  const report = await playDoubtful(runs, bad.endpoint, { settings });
  assert.match(
    report.error?.message ?? "",
    /^Cannot reach "doubtful"/,
    "the last attempt did not leave",
  );
  cameTo(runs, report, "unknown");
});

Deno.test("a step that never left is not sent: it is not undone", async (t) => {
  await using silent = await startTcp(() => {});
  await using good = await startServer({ scripts: { [BUY]: () => ({ order_id: "o1" }) } });
  await using runs = await openShop({ lingers: 1_300 });
  const cases = [
    ["nobody is there", await freeEndpoint(), {}],
    ["its service's name can't be resolved", "no-such-host.invalid:1", {}],
    ["its service does not speak TLS", good.endpoint, { settings: "tls: true" }],
    ["there is no connection in time", silent.endpoint, { settings: "attempt_timeout: 200ms" }],
    ["its request can't be made", good.endpoint, { step: "input: { sku: [] }" }],
  ] as const;
  for (const [when, endpoint, how] of cases) {
    await t.step(`since ${when}`, async () => {
      cameTo(runs, await playDoubtful(runs, endpoint, how), "not_sent");
    });
  }
  assert.deepEqual(good.calls, []);
});

/** Whose time is over, with the call under way. */
const DEADLINES: readonly (readonly [whose: string, Doubtful, code: string, status: string])[] = [
  ["its attempt", { settings: "attempt_timeout: 500ms" }, "DEADLINE_EXCEEDED", "compensated"],
  ["its step", { step: "timeout: 500ms" }, "STEP_TIMEOUT", "compensated"],
  ["its run", { head: "timeout: 1s" }, "RUN_TIMEOUT", "timed_out"],
];

for (const [whose, how, code, status] of DEADLINES) {
  Deno.test(`a call that is under way when the time of ${whose} is over is unknown: it is undone`, async () => {
    await using bad = await startServer({ scripts: { [BUY]: never } });
    await using runs = await openShop();
    const report = await playDoubtful(runs, bad.endpoint, how);
    assert.deepEqual([report.status, report.error?.code], [status, code]);
    cameTo(runs, report, "unknown");
  });
}

Deno.test("an answer that comes after the deadline is too late: the step is unknown, and undone", async () => {
  const gate = new Gate();
  await using bad = await startServer({ scripts: { [BUY]: gate.script } });
  await using runs = await openShop();
  const report = await playDoubtful(runs, bad.endpoint, { settings: "attempt_timeout: 500ms" });
  gate.letGo();
  cameTo(runs, report, "unknown");
});

Deno.test("a stream that breaks off after a message is unknown: it is undone", async () => {
  await using bad = await startServer({
    scripts: {
      [WATCH]: async function* () {
        yield await { order_id: "o1" };
        throw failing("UNAVAILABLE");
      },
    },
  });
  await using runs = await openShop();
  cameTo(runs, await playDoubtful(runs, bad.endpoint, { method: "Watch" }), "unknown");
});

Deno.test("a step that its service's breaker turns away is undone only where an attempt is in doubt", async () => {
  await using bad = await startServer({ scripts: { [BUY]: inTurn(failing("UNAVAILABLE")) } });
  const settings = "circuit_breaker: { min_calls: 1, on_open: fail }, " +
    "retry: { attempts: 3, initial_delay: 5ms }";
  await using runs = await openShop();
  for (
    const [outcome, undo] of [["unknown", ["second", "first"]], ["not_sent", ["first"]]] as const
  ) {
    const report = await playDoubtful(runs, bad.endpoint, { settings });
    assert.deepEqual([report.error?.code, report.error?.outcome], ["CIRCUIT_OPEN", outcome]);
    assert.deepEqual(undone(runs, report), undo);
  }
  assert.equal(bad.calls.length, 1);
});
