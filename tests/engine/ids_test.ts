import assert from "node:assert/strict";
import { newRunId, newTraceparent } from "../../src/engine/ids.ts";

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
