/** semantics.md §6, by killing real processes: see `torture.ts`. */
import assert from "node:assert/strict";
import { killsOf, summaryOf, torture } from "./torture.ts";

/** Enough to have every write of a saga killed before, within and after, and more. */
const KILLS = 300;
const SEED = 2;

Deno.test(`${KILLS} kills lose nothing, do nothing twice, and leave all books balanced`, async () => {
  const tally = await torture({ kills: KILLS, seed: SEED });
  console.log(`SEED=${SEED}: ${summaryOf(tally)}`);
  assert.deepEqual(tally.problems, []);
  assert.ok(killsOf(tally) >= KILLS);
  for (const [how, many] of Object.entries(tally.kills)) {
    assert.ok(many > 0, `none was killed ${how}`);
  }
  for (const status of ["completed", "compensated", "cancelled", "timed_out"]) {
    assert.ok((tally.ends[status] ?? 0) > 0, `none has ${status}`);
  }
});
