import assert from "node:assert/strict";
import type { Claim, Journal, NewRun, Standing, StoredFact } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";

/** A fact that means nothing to a journal but its place. */
export function factAt(seq: number, kind = "step_started"): StoredFact {
  return { v: 1, seq, at: 1_767_225_600_000 + seq, kind, path: `step_${seq}` };
}

/** A run to be kept, in the order of their numbers. */
export function newRun(runId: string, more: Partial<NewRun> = {}): NewRun {
  return { runId, workflow: "w", version: null, correlationId: runId, texts: [], ...more };
}

const ENDED: Standing = { status: "completed", endedAt: 1_767_225_600_002, sleepsUntil: undefined };

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
    const claim = await journal.create(newRun("r1"), "me");
    const facts = [1, 2, 3, 4].map((seq) => factAt(seq));
    await journal.append(claim, facts.slice(0, 1));
    await journal.append(claim, facts.slice(1));
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), facts);
  });

  journalTest("keeps every value that JSON can say", async (journal) => {
    const claim = await journal.create(newRun("r1"), "me");
    const fact = {
      ...factAt(1),
      input: { "": [null, true, -0.5, "ä\u0000\ud83d\ude00", {}], "$int": "9007199254740993" },
    };
    await journal.append(claim, [fact]);
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), [fact]);
  });

  journalTest("keeps runs apart", async (journal) => {
    const [one, two] = [
      await journal.create(newRun("r1"), "me"),
      await journal.create(newRun("r2"), "me"),
    ];
    await journal.append(one, [factAt(1)]);
    await journal.append(two, [factAt(1), factAt(2)]);
    assert.equal((await Array.fromAsync(journal.read("r1"))).length, 1);
    assert.equal((await Array.fromAsync(journal.read("r2"))).length, 2);
  });

  journalTest("does not create a run twice", async (journal) => {
    await journal.create(newRun("r1"), "me");
    await assert.rejects(journal.create(newRun("r1"), "you"), failsWith("RUN_EXISTS"));
    const claim = await journal.create(newRun("r2"), "me");
    await journal.append(claim, [factAt(1)]);
    await assert.rejects(journal.create(newRun("r2"), "you"), failsWith("RUN_EXISTS"));
  });

  journalTest("knows no run that was not created", async (journal) => {
    await assert.rejects(journal.claim("r1", "me"), failsWith("RUN_NOT_FOUND"));
    await assert.rejects(Array.fromAsync(journal.read("r1")), failsWith("RUN_NOT_FOUND"));
  });

  journalTest("refuses facts of a claim that was lost, and keeps none of them", async (journal) => {
    const lost = await journal.create(newRun("r1"), "me");
    await journal.append(lost, [factAt(1)]);
    const claim = await journal.claim("r1", "you");
    assert.ok(claim.token > lost.token);
    await assert.rejects(journal.append(lost, [factAt(2)]), failsWith("CLAIM_LOST"));
    await journal.append(claim, [factAt(2)]);
    assert.deepEqual(await Array.fromAsync(journal.read("r1")), [factAt(1), factAt(2)]);
  });

  journalTest("gives the facts after a number", async (journal) => {
    const claim = await journal.create(newRun("r1"), "me");
    await journal.append(claim, [1, 2, 3].map((seq) => factAt(seq)));
    assert.deepEqual(await Array.fromAsync(journal.read("r1", 2)), [factAt(3)]);
    assert.deepEqual(await Array.fromAsync(journal.read("r1", 3)), []);
  });

  journalTest("hands over the runs that have not ended, oldest first", async (journal) => {
    const claims: Claim[] = [];
    for (const id of ["r3", "r1", "r2", "r2/child"]) {
      const claim = await journal.create(newRun(id), "me");
      await journal.append(claim, [factAt(1)]);
      claims.push(claim);
    }
    await journal.append(claims[1]!, [factAt(2, "run_ended")], ENDED);
    const adopted = await Array.fromAsync(journal.adopt("me"));
    assert.deepEqual(adopted.map(({ claim }) => claim.runId), ["r3", "r2"]);
    await journal.append(adopted[0]!.claim, [factAt(2)]);
  });

  journalTest("says which of them sleep, and until when", async (journal) => {
    const until = 1_767_300_000_000;
    const standings: readonly Standing[] = [
      { status: "running", endedAt: null, sleepsUntil: until },
      { status: "running", endedAt: null, sleepsUntil: null },
      { status: "needs_attention", endedAt: null, sleepsUntil: undefined },
    ];
    for (const [index, standing] of standings.entries()) {
      const claim = await journal.create(newRun(`r${index}`), "me");
      await journal.append(claim, [factAt(1)], standing);
    }
    const adopted = await Array.fromAsync(journal.adopt("me"));
    assert.deepEqual(adopted.map(({ status, sleepsUntil }) => ({ status, sleepsUntil })), [
      { status: "running", sleepsUntil: until },
      { status: "running", sleepsUntil: null },
      { status: "needs_attention", sleepsUntil: undefined },
    ]);
  });

  journalTest("keeps the texts of a run by their digest", async (journal) => {
    assert.equal(await journal.kept("d1"), undefined);
    const [d1, d2] = [{ digest: "d1", text: "one" }, { digest: "d2", text: "two" }];
    const claim = await journal.create(newRun("r1", { texts: [d1] }), "me");
    await journal.append(claim, [factAt(1)]);
    await journal.keep(claim, d2);
    await journal.keep(claim, d2);
    assert.deepEqual([await journal.kept("d1"), await journal.kept("d2")], ["one", "two"]);
  });

  journalTest("tells what became durable in all runs, in that order", async (journal) => {
    assert.equal(await journal.newest(), 0);
    const one = await journal.create(newRun("r1"), "me");
    const two = await journal.create(newRun("r2"), "me");
    await journal.append(one, [factAt(1), factAt(2)]);
    await journal.append(two, [factAt(1)]);
    await journal.append(one, [factAt(3)], ENDED);
    const all = await journal.moments(0, 10);
    assert.deepEqual(all.map(({ runId, facts }) => [runId, facts.map(({ seq }) => seq)]), [
      ["r1", [1, 2]],
      ["r2", [1]],
      ["r1", [3]],
    ]);
    assert.deepEqual(all[0]?.facts[1], factAt(2));
    const numbers = all.map(({ number }) => number);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    assert.equal(await journal.newest(), numbers[2]);
    assert.deepEqual(await journal.moments(numbers[0] ?? 0, 1), all.slice(1, 2));
    assert.deepEqual(await journal.moments(numbers[2] ?? 0, 10), []);
  });

  journalTest("gives no number to two moments, also where runs were dropped", async (journal) => {
    const first = await journal.create(newRun("r1"), "me");
    await journal.append(first, [factAt(1)], ENDED);
    const newest = await journal.newest();
    await journal.prune((ENDED.endedAt ?? 0) + 1);
    assert.deepEqual(await journal.moments(0, 10), []);
    const second = await journal.create(newRun("r2"), "me");
    await journal.append(second, [factAt(1)]);
    assert.deepEqual((await journal.moments(newest, 10)).map(({ runId }) => runId), ["r2"]);
  });

  journalTest("counts the runs that stand so, without child runs", async (journal) => {
    assert.deepEqual(await journal.counts(), {});
    for (const id of ["r1", "r2", "r3", "r3/child"]) {
      const claim = await journal.create(newRun(id), "me");
      await journal.append(claim, [factAt(1)], id === "r2" ? ENDED : undefined);
    }
    assert.deepEqual(await journal.counts(), { running: 2, completed: 1 });
    const again = await journal.claim("r1", "me");
    await journal.append(again, [factAt(2)], { ...ENDED, status: "failed" });
    assert.deepEqual(await journal.counts(), { running: 1, completed: 1, failed: 1 });
    await journal.prune(Infinity);
    assert.deepEqual(await journal.counts(), { running: 1 });
  });

  journalTest("finds runs by a text in their ids, and by when they started", async (journal) => {
    for (const [index, id] of ["order-1", "order-2", "invoice-1"].entries()) {
      const more = { at: 1_000 * (index + 1), correlationId: `customer_${index}` };
      const claim = await journal.create(newRun(id, more), "me");
      await journal.append(claim, [{ ...factAt(1), at: more.at }]);
    }
    const ids = async (query: Parameters<Journal["list"]>[0]) =>
      (await journal.list(query)).map(({ runId }) => runId);
    assert.deepEqual(await ids({ text: "rder" }), ["order-2", "order-1"]);
    assert.deepEqual(await ids({ text: "rder", limit: 1 }), ["order-2"]);
    assert.deepEqual(await ids({ text: "rder", limit: 1, after: "order-2" }), ["order-1"]);
    assert.deepEqual(await ids({ text: "customer_2" }), ["invoice-1"]);
    assert.deepEqual(await ids({ text: "%" }), []);
    assert.deepEqual(await ids({ text: "-1", until: 3_000 }), ["order-1"]);
    assert.deepEqual(await ids({ since: 2_000, until: 3_000 }), ["order-2"]);
  });

  journalTest("lists runs, the newest first, a page at a time", async (journal) => {
    for (let index = 1; index <= 5; index++) {
      const workflow = index % 2 === 0 ? "even" : "odd";
      const claim = await journal.create(newRun(`r${index}`, { workflow }), "me");
      const first = { ...factAt(1), at: 1_000 * index };
      await journal.append(claim, [first], index === 3 ? ENDED : undefined);
    }
    const child = await journal.create(newRun("r5/child"), "me");
    await journal.append(child, [factAt(1)]);
    const ids = async (query: Parameters<Journal["list"]>[0]) =>
      (await journal.list(query)).map(({ runId }) => runId);
    assert.deepEqual(await ids({}), ["r5", "r4", "r3", "r2", "r1"]);
    assert.deepEqual(await ids({ limit: 2 }), ["r5", "r4"]);
    assert.deepEqual(await ids({ limit: 2, after: "r4" }), ["r3", "r2"]);
    assert.deepEqual(await ids({ workflow: "even" }), ["r4", "r2"]);
    assert.deepEqual(await ids({ status: "completed" }), ["r3"]);
    assert.deepEqual(await ids({ since: 4_000 }), ["r5", "r4"]);
    assert.deepEqual(await ids({ status: "running", workflow: "odd", since: 2_000 }), ["r5"]);
  });

  journalTest("finds a run", async (journal) => {
    await assert.rejects(journal.find("r1"), failsWith("RUN_NOT_FOUND"));
    const claim = await journal.create(newRun("r1", { version: "2" }), "me");
    await journal.append(claim, [factAt(1)]);
    const found = await journal.find("r1");
    assert.deepEqual([found.version, found.status, found.endedAt, found.owned], [
      "2",
      "running",
      null,
      true,
    ]);
    await journal.append(claim, [factAt(2, "run_ended")], ENDED);
    const after = await journal.find("r1");
    assert.deepEqual([after.status, after.endedAt, after.owned], [
      "completed",
      ENDED.endedAt,
      false,
    ]);
  });

  journalTest(
    "drops runs that ended before a moment, with all that was theirs",
    async (journal) => {
      const text = (digest: string) => ({ digest, text: digest });
      const texts = { r1: ["both", "found", "old"], r2: ["both"], r3: ["open"] };
      for (const [id, digests] of Object.entries(texts)) {
        const claim = await journal.create(newRun(id, { texts: digests.map(text) }), "me");
        const endedAt = id === "r1" ? 1_000 : 2_000;
        await journal.append(claim, [factAt(1)], id === "r3" ? undefined : { ...ENDED, endedAt });
        if (id === "r3") await journal.keep(claim, text("found"));
        const child = await journal.create(
          newRun(`${id}/child`, { texts: [text(`${id}'s child's`)] }),
          "me",
        );
        await journal.append(child, [factAt(1)], { ...ENDED, endedAt: 500 });
      }
      assert.equal(await journal.prune(1_500), 1);
      assert.equal(await journal.prune(1_500), 0);
      for (const id of ["r1", "r1/child"]) {
        await assert.rejects(Array.fromAsync(journal.read(id)), failsWith("RUN_NOT_FOUND"));
      }
      for (const id of ["r2/child", "r3", "r3/child"]) await journal.find(id);
      const left = ["both", "found", "open", "r2's child's"];
      for (const digest of left) assert.equal(await journal.kept(digest), digest);
      for (const digest of ["old", "r1's child's"]) {
        assert.equal(await journal.kept(digest), undefined);
      }
      const next = await journal.create(newRun("r4", { texts: [text("old")] }), "me");
      await journal.append(next, [factAt(1)]);
      assert.equal(await journal.kept("old"), "old");
    },
  );

  journalTest("drops so many runs at most, those that ended first", async (journal) => {
    for (const [id, endedAt] of [["r1", 3_000], ["r2", 1_000], ["r3", 2_000]] as const) {
      const claim = await journal.create(newRun(id), "me");
      await journal.append(claim, [factAt(1)], { ...ENDED, endedAt });
    }
    assert.equal(await journal.prune(4_000, 2), 2);
    assert.deepEqual((await journal.list({})).map(({ runId }) => runId), ["r1"]);
    assert.equal(await journal.prune(4_000, 2), 1);
    assert.equal(await journal.prune(4_000, 2), 0);
  });

  journalTest("brings a command to whoever has the run, and the answer back", async (journal) => {
    await assert.rejects(journal.post("r1", { do: "it" }), failsWith("RUN_NOT_FOUND"));
    const claim = await journal.create(newRun("r1"), "me");
    await journal.append(claim, [factAt(1)]);
    const heard = Promise.withResolvers<{ number: number; runId: string }>();
    let times = 0;
    const stop = journal.listen((posted) => {
      times++;
      heard.resolve(posted);
      return Promise.resolve();
    });
    const number = await journal.post("r1", { do: "it" });
    const awake = setInterval(() => {}, 1_000); // listening keeps no process alive
    assert.deepEqual(await heard.promise, { number, runId: "r1", command: { do: "it" } });
    assert.equal(await journal.answerTo(number), undefined);
    await journal.answer(number, "done");
    assert.equal(await journal.answerTo(number), "done");
    assert.equal(await journal.answerTo(number), undefined);
    clearInterval(awake);
    stop();
    assert.equal(times, 1);
  });
}
