import assert from "node:assert/strict";
import type { Journal, StoredFact } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";

/** A fact that means nothing to a journal but its place. */
export function factAt(seq: number, kind = "step_started"): StoredFact {
  return { v: 1, seq, at: 1_767_225_600_000 + seq, kind, path: `step_${seq}` };
}

function failsWith(code: string) {
  return (thrown: unknown) => thrown instanceof MaestroError && thrown.code === code;
}

/** The tests that every journal must pass. `open` gives an empty one. */
export function exerciseJournal(name: string, open: () => Promise<Journal>): void {
  function journalTest(behaviour: string, run: (journal: Journal) => Promise<void>): void {
    Deno.test({
      name: `${name} journal ${behaviour}`,
      sanitizeOps: true,
      sanitizeResources: true,
      async fn() {
        const journal = await open();
        try {
          await run(journal);
        } finally {
          await journal.close();
        }
      },
    });
  }

  journalTest("gives back the facts it was given, in order", async (journal) => {
    const claim = await journal.create("r1", "me");
    const facts = [1, 2, 3, 4].map((seq) => factAt(seq));
    await journal.append(claim, facts.slice(0, 1));
    await journal.append(claim, facts.slice(1));
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), facts);
  });

  journalTest("keeps every value that JSON can say", async (journal) => {
    const claim = await journal.create("r1", "me");
    const fact = {
      ...factAt(1),
      input: { "": [null, true, -0.5, "ä\u0000\ud83d\ude00", {}], "$int": "9007199254740993" },
    };
    await journal.append(claim, [fact]);
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), [fact]);
  });

  journalTest("keeps runs apart", async (journal) => {
    const [one, two] = [await journal.create("r1", "me"), await journal.create("r2", "me")];
    await journal.append(one, [factAt(1)]);
    await journal.append(two, [factAt(1), factAt(2)]);
    assert.equal((await Array.fromAsync(journal.read("r1"))).length, 1);
    assert.equal((await Array.fromAsync(journal.read("r2"))).length, 2);
  });

  journalTest("does not create a run twice", async (journal) => {
    await journal.create("r1", "me");
    await assert.rejects(journal.create("r1", "you"), failsWith("RUN_EXISTS"));
  });

  journalTest("knows no run that was not created", async (journal) => {
    await assert.rejects(journal.claim("r1", "me"), failsWith("RUN_NOT_FOUND"));
    await assert.rejects(Array.fromAsync(journal.read("r1")), failsWith("RUN_NOT_FOUND"));
  });

  journalTest("refuses facts of a claim that was lost, and keeps none of them", async (journal) => {
    const lost = await journal.create("r1", "me");
    await journal.append(lost, [factAt(1)]);
    const claim = await journal.claim("r1", "you");
    assert.ok(claim.token > lost.token);
    await assert.rejects(journal.append(lost, [factAt(2)]), failsWith("CLAIM_LOST"));
    await journal.append(claim, [factAt(2)]);
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), [factAt(1), factAt(2)]);
  });

  journalTest("lists the runs that have not ended, oldest first", async (journal) => {
    const claims = [];
    for (const id of ["r3", "r1", "r2"]) claims.push(await journal.create(id, "me"));
    await journal.append(claims[1]!, [factAt(1), factAt(2, "run_ended")]);
    assert.deepEqual(await Array.fromAsync(journal.unfinished()), ["r3", "r2"]);
  });

  journalTest("keeps texts by their digest", async (journal) => {
    assert.equal(await journal.kept("d1"), undefined);
    await journal.keep("d1", "text");
    await journal.keep("d1", "text");
    assert.equal(await journal.kept("d1"), "text");
  });
}
