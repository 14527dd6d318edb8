import assert from "node:assert/strict";
import { parseFilter } from "../../src/server/grpc/filter.ts";

const GOOD = [
  ["", {}],
  ["   ", {}],
  ["state = NEEDS_ATTENTION", { status: "needs_attention" }],
  ['state="FAILED"', { status: "failed" }],
  ['workflow = "order_saga"', { workflow: "order_saga" }],
  ["workflow = workflows/order_saga", { workflow: "order_saga" }],
  ["order-17", { text: "order-17" }],
  ['"two words"', { text: "two words" }],
  ['"a \\"quote\\""', { text: 'a "quote"' }],
  ['"AND"', { text: "AND" }],
  [
    'start_time >= "2026-01-01T00:00:00Z" AND start_time < "2026-01-01T01:00:00+01:00" AND x',
    { since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:00:00.000Z", text: "x" },
  ],
  ["state = RUNNING order-17", { status: "running", text: "order-17" }],
] as const;

for (const [text, query] of GOOD) {
  Deno.test(`the filter ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(parseFilter(text), query);
  });
}

const BAD = [
  ["state = DONE", /"DONE" is no state: there are RUNNING, COMPENSATING/],
  ["state = STATE_UNSPECIFIED", /is no state/],
  ["state = 1", /is no state/],
  ["state != FAILED", /"state !=" is not supported/],
  ["state =", /no value comes after "state ="/],
  ["state = =", /no value comes after "state ="/],
  ["status = FAILED", /"status =" is not supported: there are "state ="/],
  ["a OR b", /"OR" is not supported there: conditions can only be joined by AND/],
  ["NOT a", /"NOT" is not supported/],
  ["-a", /"-a" is not supported/],
  ["(a)", /"\(" is not supported there/],
  ["a b", /two conditions for the text in ids/],
  ["state = FAILED AND state = RUNNING", /two conditions for state/],
  ["a AND", /nothing comes after its last AND/],
  ["AND a", /"AND" is not supported there/],
  ['workflow = "a', /can't be read from "\\"a" on|can't be read from ""a" on/],
  ['start_time >= "yesterday"', /"yesterday" is no time/],
] as const;

for (const [text, message] of BAD) {
  Deno.test(`the filter ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseFilter(text), message);
  });
}
