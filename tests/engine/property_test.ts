/**
 * Random workflows, undisturbed, cancelled, out of time, restarted and cut, against a model that
 * tells in another way what services see and when. `SEED=n` plays the one case of that number;
 * `CASES=n` plays so many, and `FROM=n` begins with another.
 */
import assert from "node:assert/strict";
import { parseWorkflow } from "../../src/workflow/parse.ts";
import { Outside, randomOf } from "../support/saga/behaviour.ts";
import { judge } from "../support/saga/judge.ts";
import { tell } from "../support/saga/model.ts";
import { type Fate, play, type Played } from "../support/saga/play.ts";
import { type RandomTree, randomTree } from "../support/saga/random_tree.ts";
import { inOrder, type Story } from "../support/saga/story.ts";
import { smaller } from "../support/saga/shrink.ts";
import { textsOf } from "../support/saga/tree.ts";

const QUIET: Fate = { cancelAt: Infinity, restartAt: Infinity, cutAfter: Infinity };

const { SEED, CASES = "5000", FROM = "1" } = Deno.env.toObject();
const FIRST = Number(SEED ?? FROM);
const COUNT = SEED === undefined ? Number(CASES) : 1;

interface Case {
  readonly seed: number;
  readonly made: RandomTree;
  readonly fate: Fate;
}

/** The case of a seed: a workflow, and what becomes of it. */
function caseOf(seed: number): Case {
  const made = randomTree(seed);
  const random = randomOf(seed + 1_000_000);
  const { end, sent } = tell(made.tree, outsideOf(seed, made), QUIET);
  const moment = () => 1 + Math.floor(random() * end);
  const which = random();
  const cancelled = which < 0.35 || which > 0.9;
  const restarted = which > 0.2 && which < 0.6;
  const cut = which > 0.75;
  return {
    seed,
    made,
    fate: {
      cancelAt: cancelled ? moment() : Infinity,
      restartAt: restarted ? moment() : Infinity,
      cutAfter: cut ? 1 + Math.floor(random() * sent.length * 3) : Infinity,
    },
  };
}

function outsideOf(seed: number, { risk, calm }: RandomTree): Outside {
  return new Outside(seed, risk, calm);
}

/** Plays a case and checks it. @throws what is wrong with it */
async function check({ seed, made, fate }: Case): Promise<string> {
  const { tree } = made;
  const outside = outsideOf(seed, made);
  const story = tell(tree, outside, fate);
  const played = await play(tree, outside, fate);
  judge(tree, played);
  // Where a fact is the last before a cut, time alone doesn't tell what was known by then.
  if (fate.cutAfter === Infinity && !story.tied) compare(story, played);
  return played.report.status;
}

function compare(story: Story, { world, report, end }: Played): void {
  const sent = world.calls.map(({ at, key, attempt }) => ({ at, key, attempt }));
  assert.deepEqual(sent.toSorted(inOrder), story.sent);
  assert.equal(report.status, story.status);
  assert.equal(end, story.end);
}

/** What is wrong with a case; `null`: nothing, or it is no workflow. */
async function failure(one: Case): Promise<unknown> {
  const { text, files } = textsOf(one.made.tree);
  if (
    parseWorkflow({ file: "workflow.yaml", text }, (path) => files.get(path) ?? "").workflow ===
      null
  ) {
    return null;
  }
  try {
    await check(one);
    return null;
  } catch (thrown) {
    return thrown;
  }
}

Deno.test("whatever a run consists of, and whatever becomes of it, it does and undoes what the law says", async () => {
  const ends = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const one = caseOf(seed);
    try {
      const status = await check(one);
      ends.set(status, (ends.get(status) ?? 0) + 1);
    } catch (thrown) {
      let [least, cause]: [Case, unknown] = [one, thrown];
      for await (
        const { tree, ...found } of smaller(
          one.made.tree,
          (tree) => failure({ ...one, made: { ...one.made, tree } }),
        )
      ) {
        least = { ...one, made: { ...one.made, tree } };
        cause = found.failure;
      }
      const { text, files } = textsOf(least.made.tree);
      const texts = [text, ...files.values()].map((written) =>
        JSON.stringify(JSON.parse(written).steps)
      );
      const { cancelAt, restartAt, cutAfter } = one.fate;
      throw new Error(
        `SEED=${seed}, cancelled at ${cancelAt}, restarted at ${restartAt}, cut after ${cutAfter}:\n${
          texts.join("\n")
        }`,
        { cause },
      );
    }
  }
  if (COUNT >= 1_000) {
    for (
      const status of ["completed", "failed", "compensated", "cancelled", "timed_out", "incomplete"]
    ) {
      assert.ok((ends.get(status) ?? 0) > COUNT / 100, `hardly any case ends as ${status}`);
    }
  }
});
