import assert from "node:assert/strict";
import type { AuditEntry } from "../../src/server/audit.ts";
import { Gate } from "../../src/server/gate.ts";
import { Tokens } from "../../src/server/tokens.ts";
import { tempFiles } from "../support/temp_files.ts";

const ATTEMPT = { action: "/maestro.v1.Runs/StartRun", from: "192.0.2.7" };

Deno.test("wrong tokens are recorded, so many a minute, and the others counted", async () => {
  await using files = await tempFiles({ tokens: `ada admin ${"0".repeat(64)}\n` });
  const entries: AuditEntry[] = [];
  let now = 0;
  const gate = new Gate(
    new Tokens(files.path("tokens")),
    (entry) => entries.push(entry),
    () => now,
  );
  const tryTimes = (times: number) => {
    for (let time = 0; time < times; time++) {
      assert.throws(() => gate.callerOf("Bearer a-secret", ATTEMPT));
    }
  };
  tryTimes(1_000);
  assert.equal(entries.length, 10);
  now = 60_000;
  tryTimes(2);
  assert.deepEqual(entries.slice(10).map(({ more }) => more), [
    { from: "192.0.2.7", why: "This token is not known here", unrecorded: 990 },
    { from: "192.0.2.7", why: "This token is not known here" },
  ]);
  const { more: _, ...entry } = entries[0]!;
  assert.deepEqual(entry, {
    who: null,
    role: null,
    action: "/maestro.v1.Runs/StartRun",
    runId: null,
    refused: "UNAUTHENTICATED",
  });
  assert.doesNotMatch(JSON.stringify(entries), /a-secret/);
});

Deno.test("who shows no token has tried nothing", async () => {
  await using files = await tempFiles({ tokens: `ada admin ${"0".repeat(64)}\n` });
  const entries: AuditEntry[] = [];
  const gate = new Gate(new Tokens(files.path("tokens")), (entry) => entries.push(entry));
  for (const none of [null, ""]) assert.throws(() => gate.callerOf(none, ATTEMPT));
  assert.deepEqual(entries, []);
});
