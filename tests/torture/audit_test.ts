/** The audit of `audit.ts` finds what it is there to find. */
import assert from "node:assert/strict";
import type { StoredFact } from "../../mod.ts";
import { audit } from "./audit.ts";
import type { Evidence } from "./evidence.ts";
import type { Plan } from "./plans.ts";
import type { StoryName } from "./stories.ts";
import { carryOut } from "./torture.ts";

/** A run of a story that is killed once, after a write. */
function killedOnce(story: StoryName, write: number): Plan {
  const end = { kind: "write", of: "any", fall: { write, moment: "after", delay: 0 } } as const;
  return {
    name: "killed once",
    seed: 1,
    program: "victim",
    next: (life) => life === 1 ? { begin: [story], end } : null,
  };
}

/** Evidence that can be doctored. */
type Mutable<T> = T extends StoredFact ? T
  : T extends ReadonlyMap<infer K, infer V> ? Map<K, Mutable<V>>
  : T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> }
  : T;

/** Something that must not be, and how the audit says so. */
const CRIMES: readonly {
  readonly name: string;
  readonly commit: (evidence: Mutable<Evidence>) => void;
  readonly found: RegExp;
}[] = [
  {
    name: "something is done twice",
    commit: ({ remains: { effects } }) => {
      effects.push({ ...first(effects, ({ memo }) => memo === "open"), n: 1e6 });
    },
    found: /open was done twice/,
  },
  {
    name: "a compensation is lost",
    commit: ({ remains }) => {
      remains.effects = remains.effects.filter(({ kind, memo }) =>
        kind === "done" || memo !== "hold"
      );
    },
    found: /hold still stands/,
  },
  {
    name: "a compensation is doubled",
    commit: ({ remains: { effects } }) => {
      effects.push({ ...first(effects, ({ kind }) => kind === "undone"), n: 1e6 });
    },
    found: /was undone twice/,
  },
  {
    name: "the books don't balance",
    commit: ({ remains: { effects } }) => {
      first(effects, ({ kind, memo }) => kind === "done" && memo === "tax").amount = 6;
    },
    found: /its accounts add up to 1/,
  },
  {
    name: "what was completed first is undone first",
    commit: ({ remains: { arrivals } }) => {
      const undo = (memo: string) =>
        first(arrivals, (one) => one.op === "compensate" && one.memo === memo);
      const [early, late] = [undo("open"), undo("gift")];
      [early.n, late.n] = [late.n, early.n];
    },
    found: /drive\/action was undone before run-1\/perk.gift\/action, which came about later/,
  },
  {
    name: "a key changes",
    commit: ({ remains: { arrivals } }) => {
      first(arrivals, ({ memo }) => memo === "duty").key = "run-1/duty/action";
    },
    found: /run-1\/duty\/action is not the key of run-1 checks.taxes.duty action/,
  },
  {
    name: "a request changes",
    commit: ({ remains: { arrivals } }) => {
      const call = first(arrivals, ({ memo }) => memo === "duty");
      arrivals.push({ ...call, n: 1e6, attempt: call.attempt + 1, digest: "another" });
    },
    found: /came with more than one digest/,
  },
  {
    name: "attempts go back",
    commit: ({ remains: { arrivals } }) => {
      const call = first(arrivals, ({ memo }) => memo === "duty");
      arrivals.push({ ...call, n: 1e6, attempt: 2 }, { ...call, n: 1e6 + 1, attempt: 1 });
    },
    found: /went back from attempt 2 to 1/,
  },
  {
    name: "a completed step is called again",
    commit: ({ lives }) => {
      const call = first(lives[0]?.arrivals ?? [], ({ memo }) => memo === "open");
      lives[1]?.arrivals.push({ ...call, life: 2 });
    },
    found: /run-1\/open\/action had been settled, and was called again, in life 2/,
  },
  {
    name: "a step is called again when others have built on it",
    commit: ({ remains: { arrivals } }) => {
      const call = first(arrivals, ({ memo }) => memo === "hold");
      arrivals.push({ ...call, n: 1e6, life: 2 });
    },
    found: /run-1\/checks.hold\/action was called again after run-1\/checks.points\/action/,
  },
  {
    name: "an action is called after its compensation",
    commit: ({ remains: { arrivals } }) => {
      const call = first(arrivals, ({ memo }) => memo === "pack-c");
      arrivals.push({ ...call, n: 1e6, life: 2 });
    },
    found: /pack\/action was called after its compensation/,
  },
  {
    name: "a wait is cut short",
    commit: ({ remains: { arrivals } }) => {
      first(arrivals, ({ memo }) => memo === "duty").at -= 10_000;
    },
    found: /duty came -?\d+ ms after tax/,
  },
  {
    name: "a fact is lost between two lives",
    commit: ({ lives }) => void lives[1]?.after.get("run-1")?.splice(20, 1),
    found: /fact 21 of run-1 is lost or changed/,
  },
  {
    name: "a durable fact is not there after the process has died",
    commit: ({ lives }) => void lives[0]?.after.get("run-1")?.pop(),
    found: /were durable, and are lost, in life 1/,
  },
  {
    name: "facts that belong together are written in part",
    commit: ({ lives }) => {
      const facts = lives[0]?.after.get("run-1") ?? [];
      lives[0]?.noted.push({
        run: "run-1",
        from: facts.length,
        to: facts.length + 1,
        durable: false,
      });
    },
    found: /were not written as one/,
  },
  {
    name: "a call is sent that is no fact",
    commit: ({ lives }) => {
      const call = first(lives[1]?.arrivals ?? [], ({ op }) => op === "compensate");
      lives[1]?.arrivals.push({ ...call, attempt: 9 });
    },
    found: /attempt run-1\/.* 9 was sent, and is no fact/,
  },
  {
    name: "a run does not end",
    commit: ({ remains: { facts } }) => void facts.get("run-1")?.pop(),
    found: /it ended 0 times/,
  },
  {
    name: "a run ends otherwise",
    commit: ({ remains: { stories } }) => void stories.set("run-1", "completes"),
    found: /it ended as compensated/,
  },
  {
    name: "a process says what is not so",
    commit: ({ lives }) => void lives[1]?.told.set("run-1", "completed"),
    found: /run-1 was said to be completed/,
  },
];

Deno.test("the audit finds what must not be, and nothing else", async (t) => {
  const evidence = await carryOut(killedOnce("late", 40));
  assert.equal(evidence.lives.length, 2);
  assert.deepEqual(audit(evidence), []);
  for (const { name, commit, found } of CRIMES) {
    await t.step(name, () => {
      const doctored = structuredClone(evidence) as Mutable<Evidence>; // a copy is nobody else's
      commit(doctored);
      assert.match(audit(doctored).join("\n"), found);
    });
  }
});

Deno.test("the audit finds out a journal that says it has written, and has not", async () => {
  const problems = audit(await carryOut({ ...killedOnce("foreach", 20), lies: true })).join("\n");
  assert.match(problems, /facts 1 to \d+ of run-1 were durable, and are lost, in life 1/);
  assert.match(problems, /attempt run-1\/open\/action 1 was sent, and is no fact, in life 1/);
  assert.match(problems, /run-1\/open\/action was called again after run-1\/checks.hold\/action/);
});

function first<T>(list: readonly T[], fits: (one: T) => boolean): T {
  return list.find(fits) ?? assert.fail("there is none");
}
