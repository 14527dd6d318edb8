import assert from "node:assert/strict";
import type { Happening } from "../../src/engine/happening.ts";
import type { FactBody } from "../../src/machines/facts.ts";
import type { Failure } from "../../src/machines/failure.ts";
import { paintWith } from "../../src/cli/palette.ts";
import { emptyView, hear, type RunView } from "../../src/cli/run_view.ts";
import { plainLine } from "../../src/cli/plain_lines.ts";
import { renderTree } from "../../src/cli/tree.ts";
import { workflowOf } from "../support/engines.ts";

const START = Date.UTC(2026, 0, 1);

const ORDER = workflowOf(`
name: order
version: "1.0"
services:
  stock: { endpoint: "stock:1", retry: { attempts: 3 } }
  payments: { endpoint: "payments:1", retry: { attempts: 5 } }
  mail: { endpoint: "mail:1" }
steps:
  - set: { order_id: "{{ 'o-' + .run.id }}" }
  - id: reserve
    service: stock
    method: acme.stock.v1.Stock/Reserve
    input: { id: "{{ .order_id }}" }
    compensate: { method: Release }
  - id: charge
    service: payments
    method: Charge
    compensate: { steps: [ { id: refund, service: payments, method: Refund } ] }
  - id: notify
    parallel:
      - { id: receipt, service: mail, method: SendReceipt }
      - { id: invoice_for_accounting, service: mail, method: SendInvoice }
  - id: tier
    switch:
      - when: "{{ .charge.gold }}"
        steps: [ { id: perks, service: mail, method: GrantPerks } ]
      - steps: [ { id: thanks, service: mail, method: SendThanks } ]
  - { id: ship, service: stock, method: Ship }
`);

function failure(step: string, code: string, attempts: number): Failure {
  const none = { reason: "", domain: "", metadata: {}, details: [] };
  return { code, message: "payments:1 said no", step, attempts, outcome: "rejected", ...none };
}

type Told = [at: number, body: FactBody | Exclude<Happening, { seq: number }>];
const op = "action";

/** What happens, in milliseconds after the start. */
const STORY: readonly Told[] = [
  [0, {
    kind: "run_started",
    runId: "01a20a63-e40c-708a-b1e2-faee9b91deba",
    workflow: "order",
    version: "1.0",
    definition: "d",
    correlationId: "c",
    traceparent: null,
    input: {},
    env: {},
    schemas: {},
    endpoints: {},
    deadline: null,
  }],
  [1, { kind: "step_started", path: "steps[0]", op }],
  [1, { kind: "step_completed", path: "steps[0]", op, output: { order_id: "o" } }],
  [2, { kind: "step_started", path: "reserve", op, form: "call", input: {} }],
  [2, { kind: "attempt_started", path: "reserve", op, attempt: 1 }],
  [43, {
    kind: "attempt_ended",
    path: "reserve",
    op,
    attempt: 1,
    code: "OK",
    outcome: "completed",
    output: {},
    nextAt: null,
  }],
  [43, { kind: "step_completed", path: "reserve", op }],
  [44, { kind: "step_started", path: "charge", op, form: "call", input: {} }],
  [44, { kind: "attempt_started", path: "charge", op, attempt: 1 }],
  [300, {
    kind: "attempt_ended",
    path: "charge",
    op,
    attempt: 1,
    code: "UNAVAILABLE",
    outcome: "unknown",
    failure: failure("charge", "UNAVAILABLE", 1),
    nextAt: START + 1_800,
  }],
  [1_800, {
    kind: "breaker_waiting",
    path: "charge",
    op,
    service: "payments",
    until: START + 9_000,
  }],
  [9_000, { kind: "attempt_started", path: "charge", op, attempt: 2 }],
  [9_100, {
    kind: "attempt_ended",
    path: "charge",
    op,
    attempt: 2,
    code: "OK",
    outcome: "completed",
    output: {},
    nextAt: null,
  }],
  [9_100, { kind: "step_completed", path: "charge", op }],
  [9_101, { kind: "step_started", path: "notify", op }],
  [9_101, { kind: "step_started", path: "notify.receipt", op, form: "call", input: {} }],
  [9_101, {
    kind: "step_started",
    path: "notify.invoice_for_accounting",
    op,
    form: "call",
    input: {},
  }],
  [9_200, { kind: "step_completed", path: "notify.receipt", op, output: {} }],
  [9_300, { kind: "step_completed", path: "notify.invoice_for_accounting", op, output: {} }],
  [9_300, { kind: "step_completed", path: "notify", op, output: {} }],
  [9_301, { kind: "step_started", path: "tier", op }],
  [9_301, { kind: "branch_taken", path: "tier", op, branch: 1 }],
  [9_302, { kind: "step_started", path: "tier.switch[1].thanks", op, form: "call", input: {} }],
  [9_400, { kind: "step_completed", path: "tier.switch[1].thanks", op, output: {} }],
  [9_400, { kind: "step_completed", path: "tier", op, output: {} }],
  [9_401, { kind: "step_started", path: "ship", op, form: "call", input: {} }],
  [9_401, { kind: "attempt_started", path: "ship", op, attempt: 1 }],
  [9_500, {
    kind: "step_failed",
    path: "ship",
    op,
    failure: failure("ship", "FAILED_PRECONDITION", 1),
  }],
  [9_500, {
    kind: "step_failed",
    path: "",
    op,
    failure: failure("ship", "FAILED_PRECONDITION", 1),
  }],
  [9_501, { kind: "rollback_started", reason: "failed" }],
  [9_501, { kind: "step_started", path: "charge", op: "compensate" }],
  [9_501, { kind: "step_started", path: "charge.compensate[0]", op: "compensate", input: {} }],
  [9_502, { kind: "attempt_started", path: "charge.compensate[0]", op: "compensate", attempt: 1 }],
  [9_700, { kind: "step_completed", path: "charge.compensate[0]", op: "compensate", output: {} }],
  [9_700, { kind: "step_completed", path: "charge", op: "compensate", output: {} }],
  [9_701, { kind: "step_started", path: "reserve", op: "compensate", input: {} }],
  [9_701, { kind: "attempt_started", path: "reserve", op: "compensate", attempt: 1 }],
  [9_800, {
    kind: "attention_raised",
    path: "reserve",
    op: "compensate",
    failure: failure("reserve", "PERMISSION_DENIED", 1),
    request: {},
  }],
  [20_000, {
    kind: "attention_resolved",
    path: "reserve",
    op: "compensate",
    action: "skip",
    by: "ada",
    reason: "done by hand",
  }],
  [20_001, {
    kind: "run_ended",
    status: "incomplete",
    failure: failure("ship", "FAILED_PRECONDITION", 1),
  }],
];

/** The story so far. */
function tell(
  until: number,
  listener: (view: RunView, event: Happening) => void = () => {},
): RunView {
  const view = emptyView(ORDER);
  let seq = 0;
  for (const [at, body] of STORY) {
    if (at > until) break;
    const event: Happening = body.kind === "breaker_waiting" || body.kind === "queueing"
      ? body
      : { ...body, v: 1, seq: ++seq, at: START + at };
    hear(view, event);
    listener(view, event);
  }
  return view;
}

function draw(at: number, width = 100, height?: number): string {
  const text = renderTree(tell(at), START + at, {
    width,
    ...(height !== undefined && { height }),
    paint: paintWith(false),
    hint: "Ctrl-C cancels and rolls back",
  });
  return text.replaceAll(/\d\d:\d\d:\d\d/g, "<clock>"); // in local time
}

for (
  const [at, moment] of [
    [20, "the first call is under way"],
    [900, "a step backs off"],
    [2_000, "a step waits for the breaker"],
    [9_150, "branches run side by side"],
    [9_600, "a compensation is under way"],
    [9_900, "an operator is needed"],
    [30_000, "it has ended"],
  ] as const
) {
  Deno.test(`the tree when ${moment}`, async (t) => {
    await t.assertSnapshot(draw(at));
  });
}

Deno.test("the tree does not say that a breaker is open when that time is over", () => {
  const tree = renderTree(tell(2_000), START + 9_500, {
    width: 100,
    paint: paintWith(false),
  });
  assert.match(tree, /breaker not closed, waits for its turn/);
});

Deno.test("a failure that no attempt ended with is told with its message, and others are told once", () => {
  const line = (code: string) => {
    const event = {
      kind: "step_failed",
      path: "charge",
      op,
      v: 1,
      seq: 99,
      at: START + 9_050,
    } as const;
    const view = tell(9_000);
    const failed = { ...event, failure: failure("charge", code, 2) };
    hear(view, failed);
    return plainLine(view, { view, prefix: "" }, failed);
  };
  assert.equal(
    line("CIRCUIT_OPEN"),
    "   9.1s  charge: failed with CIRCUIT_OPEN in 9.0s: payments:1 said no",
  );
  assert.equal(line("UNAVAILABLE"), "   9.1s  charge: failed with UNAVAILABLE in 9.0s");
});

Deno.test("the tree on a narrow terminal", async (t) => {
  await t.assertSnapshot(draw(900, 48));
  await t.assertSnapshot(draw(900, 30));
});

Deno.test("the tree is never wider than the terminal, at any moment", () => {
  const moments = [0, ...STORY.map(([at]) => at)];
  for (const at of moments) {
    for (let width = 20; width < 130; width += 3) {
      for (const line of draw(at, width).replaceAll("<clock>", "00:00:00").split("\n")) {
        assert.ok([...line].length <= width, `${width} columns at ${at}: ${line}`);
      }
    }
  }
});

Deno.test("the tree is never higher than the terminal, and shows what is under way", () => {
  for (let height = 6; height < 20; height++) {
    const lines = draw(9_450, 100, height).split("\n");
    assert.ok(lines.length <= height, `${lines.length} lines of ${height}`);
    assert.ok(lines.some((line) => line.includes("ship")));
  }
});

Deno.test("colour changes no character of the tree", () => {
  const view = tell(9_600);
  const options = { width: 80, hint: "" };
  const coloured = renderTree(view, START + 9_600, { ...options, paint: paintWith(true) });
  const plain = renderTree(view, START + 9_600, { ...options, paint: paintWith(false) });
  assert.notEqual(coloured, plain);
  // deno-lint-ignore no-control-regex -- the escapes that colours are made of
  assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, "").replaceAll(/ +$/gm, ""), plain);
});

Deno.test("without a terminal every event worth a line has one", async (t) => {
  const lines: string[] = [];
  tell(Infinity, (view, event) => {
    const line = plainLine(view, { view, prefix: "" }, event);
    if (line !== null) lines.push(line);
  });
  await t.assertSnapshot(lines.join("\n"));
});
