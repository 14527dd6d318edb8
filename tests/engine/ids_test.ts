import assert from "node:assert/strict";
import { beginsTrace, newRunId, newTraceparent } from "../../src/engine/ids.ts";

Deno.test("newRunId() is a UUID of version 7 that sorts by its time", () => {
  const [early, late] = [newRunId(1_767_225_600_000), newRunId(1_767_225_600_001)];
  for (const id of [early, late]) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.ok(early < late);
  assert.equal(parseInt(early.replaceAll("-", "").slice(0, 12), 16), 1_767_225_600_000);
  assert.notEqual(newRunId(0), newRunId(0));
});

Deno.test("newTraceparent() is a sampled W3C trace context", () => {
  assert.match(newTraceparent(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.notEqual(newTraceparent(), newTraceparent());
});

Deno.test("beginsTrace() tells a run's own trace context from a caller's", () => {
  assert.ok(beginsTrace(newTraceparent()));
  const callers = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  assert.equal(beginsTrace(callers), false);
});
