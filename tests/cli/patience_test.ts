import assert from "node:assert/strict";
import type { Reads } from "../../src/cli/remote/api.ts";
import { follow, type There } from "../../src/cli/remote/follow.ts";
import { patient } from "../../src/cli/remote/patience.ts";
import { remoteOperator } from "../../src/cli/remote/operator.ts";
import { Unreachable } from "../../src/cli/remote/unreachable.ts";
import type { StoredRun } from "../../src/cli/stored_run.ts";
import { MaestroError } from "../../src/errors.ts";

/** Fails with each of some errors in turn, and answers then. */
function failing(...errors: readonly MaestroError[]) {
  const left = [...errors];
  const reads = {
    asked: 0,
    get(): Promise<never> {
      reads.asked++;
      const error = left.shift();
      return error === undefined ? Promise.resolve("answer" as never) : Promise.reject(error);
    },
  };
  return reads satisfies Reads & { asked: number };
}

const away = new MaestroError("STORE_FAILED", "Cannot reach it");

Deno.test("patient() asks again while a server is away, and tells that once", async () => {
  const heard: (string | null)[] = [];
  const reads = failing(away, away, away);
  const patiently = patient(reads, { onAway: (why) => heard.push(why), every: 1 });
  assert.equal(await patiently.get("/runs/r"), "answer");
  assert.equal(reads.asked, 4);
  assert.equal(await patiently.get("/runs/r"), "answer");
  assert.deepEqual(heard, ["Cannot reach it", null]);
});

Deno.test("patient() gives up after a while", async () => {
  const patiently = patient(failing(away, away), { onAway: () => {}, atMost: 0, every: 1 });
  await assert.rejects(patiently.get("/runs/r"), {
    code: "STORE_FAILED",
    message: "Cannot reach it; tried for 0s",
  });
});

Deno.test("patient() does not ask again for what is refused", async () => {
  const reads = failing(new MaestroError("RUN_NOT_FOUND", "There is none"));
  const patiently = patient(reads, { onAway: () => assert.fail(), every: 1 });
  await assert.rejects(patiently.get("/runs/r"), { code: "RUN_NOT_FOUND" });
  assert.equal(reads.asked, 1);
});

Deno.test("follow() says where to look once it has given up", async () => {
  const finish = (thrown: MaestroError) => ({
    hear: () => {},
    finish: () => Promise.reject(thrown),
  });
  const there = { place: { server: "https://m.example.com" } } as There; // it is asked for no more
  const stored = { id: "one", view: {}, started: {} } as StoredRun; // likewise
  const look = 'once the server is back, "maestro runs show one --server https://m.example.com"';
  await assert.rejects(follow(finish(away), there, stored), {
    code: "STORE_FAILED",
    message: `Cannot reach it; ${look} says where the run stands`,
  });
  const gone = new MaestroError("RUN_NOT_FOUND", "There is none");
  await assert.rejects(follow(finish(gone), there, stored), { message: "There is none" });
});

Deno.test("a run that is followed is not left because the server is away as it is to take it over", async () => {
  const resume = (thrown: MaestroError) =>
    remoteOperator({ post: () => Promise.reject(thrown) }).resume("one");
  assert.equal(await resume(new Unreachable("STORE_FAILED", "Cannot reach it")), null);
  await assert.rejects(resume(away), { code: "STORE_FAILED" });
});
