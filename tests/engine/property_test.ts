/**
 * Random workflows, cut at random facts and cancelled at random moments, against what must hold of
 * every run: every completed or unknown step with a `compensate` is undone once, in reverse order
 * of its end, and nothing else is. What came of a step is worked out from its attempts alone.
 */
import assert from "node:assert/strict";
import type { StoredFact } from "../../src/engine/doors.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { RunReport } from "../../src/engine/report.ts";
import type { Run } from "../../src/engine/run.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import type { Json } from "../../src/workflow/json.ts";
import { JumpingClock } from "../support/clock.ts";
import { mortalJournal, workflowOf } from "../support/engines.ts";
import { type Behaviour, type Script, type SeenCall, World } from "../support/world.ts";

const SEEDS = 60;

/** Uniform in [0, 1), by mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Step = { [key: string]: Json };

/** How each call behaves, by its id. */
type Plan = Map<
  string,
  { readonly kind: Kind; readonly after: number; readonly stubborn: boolean }
>;

const GOOD = ["ok", "ok", "slow", "flaky"] as const;
const BAD = ["rejected", "unknown", "not_sent", "hang", "misfit", "expression"] as const;
type Kind = (typeof GOOD)[number] | (typeof BAD)[number];

interface Made {
  readonly text: string;
  readonly plan: Plan;
  readonly undoable: ReadonlySet<string>;
}

function make(seed: number): Made {
  const random = randomOf(seed);
  const chance = (odds: number) => random() < odds;
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T; // none is empty
  const plan: Plan = new Map();
  const undoable = new Set<string>();
  const risk = chance(0.3) ? 0 : random() * 0.3;
  let names = 0;

  const call = (): Step => {
    const id = `c${names++}`;
    const kind: Kind = chance(risk) ? pick(BAD) : pick(GOOD);
    plan.set(id, { kind, after: pick([0, 5, 50, 200]), stubborn: chance(0.2) });
    const undo = { service: "shop", method: "Undo", input: { id } };
    const undone = chance(0.6);
    if (undone) undoable.add(id);
    return {
      id,
      service: pick(["shop", "mail"]),
      method: "Do",
      input: {
        id,
        ...(kind === "misfit" && { no_such_field: 1 }),
        ...(kind === "expression" && { x: "{{ .input.none.such }}" }),
      },
      ...(undone && { compensate: chance(0.7) ? undo : { steps: [{ id: `${id}u`, ...undo }] } }),
      ...(chance(0.2) && { timeout: pick(["300ms", "3s"]) }),
      ...(chance(0.15) && { when: pick(["{{ true }}", "{{ false }}"]) }),
      ...(chance(0.2) && { idempotent: false }),
    };
  };

  const list = (depth: number) => Array.from({ length: 1 + below(3) }, () => step(depth));

  const parallel = (depth: number): Step => {
    const branches = Array.from({ length: 1 + below(4) }, (): Step => {
      const branch = step(depth);
      return { ...branch, id: branch["id"] ?? `n${names++}` };
    });
    return {
      parallel: branches.map((branch, index) =>
        index > 0 && chance(0.25)
          ? { ...branch, needs: [branches[below(index)]?.["id"] ?? null] }
          : branch
      ),
      ...(chance(0.4) && { concurrency: 1 + below(2) }),
      ...(chance(0.4) && { on_failure: "finish" }),
    };
  };

  const step = (depth: number): Step => {
    const form = random() * (depth > 0 ? 1 : 0.55);
    if (form < 0.45) return call();
    if (form < 0.5) return { set: { [`n${names++}`]: 1 } };
    if (form < 0.55) return chance(risk) ? { fail: { code: "ABORTED", message: "no" } } : call();
    const head = {
      id: `b${names++}`,
      ...(chance(0.15) && { timeout: pick(["100ms", "1s", "10s"]) }),
    };
    if (form < 0.7) return { ...head, steps: list(depth - 1) };
    if (form < 0.92) return { ...head, ...parallel(depth - 1) };
    const when = pick(["{{ true }}", "{{ false }}"]);
    return { ...head, switch: [{ when, steps: list(depth - 1) }, { steps: list(depth - 1) }] };
  };

  const retry = { attempts: 3, initial_delay: "100ms", jitter: 0 };
  const breaker = { min_calls: 2, window: 4, open_for: "500ms", on_open: pick(["wait", "fail"]) };
  const text = JSON.stringify({
    name: "random",
    ...(chance(0.25) && { timeout: pick(["150ms", "2s", "20s"]) }),
    services: {
      shop: {
        endpoint: "shop:1",
        attempt_timeout: "1s",
        retry,
        circuit_breaker: chance(0.5) && breaker,
      },
      mail: { endpoint: "mail:1", attempt_timeout: "2s", circuit_breaker: false },
    },
    steps: list(3),
  });
  return { text, plan, undoable };
}

/** A world that behaves by the plan, whichever process asks. */
function scriptsOf(plan: Plan): Readonly<Record<string, Script>> {
  const planned = (call: SeenCall) => {
    const found = plan.get((call.input as { id: string }).id);
    assert.ok(found);
    return found;
  };
  const act = (call: SeenCall): Behaviour => {
    const { kind, after } = planned(call);
    switch (kind) {
      case "rejected":
        return { fail: "FAILED_PRECONDITION", after };
      case "unknown":
        return { fail: "INTERNAL", after };
      case "not_sent":
        return { fail: "UNAVAILABLE", outcome: "not_sent" };
      case "hang":
        return { hang: true };
      case "flaky":
        return call.attempt === 1 ? { fail: "UNAVAILABLE", after } : { answer: {}, after };
      default:
        return { answer: {}, after: kind === "slow" ? after : 0 };
    }
  };
  const undo = (call: SeenCall): Behaviour =>
    planned(call).stubborn && call.attempt < 3 ? { fail: "INTERNAL", after: 3 } : { answer: {} };
  return { "shop/Do": act, "mail/Do": act, "shop/Undo": undo };
}

interface Played {
  readonly report: RunReport;
  readonly world: World;
  readonly facts: readonly StoredFact[];
}

/** Plays it; the power is cut after so many facts, and the run cancelled when so much has happened. */
async function play(made: Made, cutAfter: number, cancelAfter: number): Promise<Played> {
  const clock = new JumpingClock();
  const world = new World(scriptsOf(made.plan), clock);
  const disk = memoryJournal();
  const open = (journal: typeof disk) =>
    new Engine({ caller: world.caller(), journal, clock, random: () => 0 });
  let run: Run | undefined;
  let happened = 0;
  const onHappening = () => {
    if (++happened === cancelAfter) run?.cancel();
  };
  let engine = open(mortalJournal(disk, cutAfter));
  try {
    run = await engine.start(workflowOf(made.text), { runId: "r", onHappening });
    let report = await run.result().catch(() => undefined);
    if (report === undefined) {
      await engine.close();
      engine = open(disk);
      report = await engine.report("r");
      if (report.finished_at === null) { // else its last fact was the last that was written
        run = await engine.resume("r", onHappening);
        report = await run.result();
      }
    }
    return { report, world, facts: await Array.fromAsync(disk.read("r")) };
  } finally {
    await engine.close();
    clock.stop();
  }
}

/** What came of each step by the facts of its attempts, and when it ended. */
function endsOf(facts: readonly StoredFact[]) {
  const attempts = new Map<string, string[]>();
  const ends: { readonly path: string; readonly outcome: string; readonly seq: number }[] = [];
  for (const { kind, op, path, attempt, outcome, seq } of facts) {
    if (op !== "action" || typeof path !== "string") continue;
    const outcomes = attempts.get(path) ?? [];
    attempts.set(path, outcomes);
    if (kind === "attempt_started") outcomes[Number(attempt) - 1] = "unknown";
    if (kind === "attempt_ended") outcomes[Number(attempt) - 1] = String(outcome);
    if (kind === "step_completed") ends.push({ path, seq, outcome: "completed" });
    if (kind === "step_failed" || kind === "step_cancelled") {
      const worst = ["unknown", "rejected"].find((one) =>
        outcomes.some((other) => other === one || (other === "completed" && one === "unknown"))
      );
      ends.push({ path, seq, outcome: worst ?? "not_sent" });
    }
  }
  return ends;
}

function check({ plan, undoable }: Made, { report, world, facts }: Played): void {
  const idOf = (path: string) => path.split(".").at(-1) ?? "";
  const ends = endsOf(facts).filter(({ path }) => plan.has(idOf(path)));
  for (const { path, outcome } of ends) {
    assert.equal(report.steps.find((step) => step.path === path)?.outcome, outcome, path);
  }
  const standing = ends
    .filter(({ path }) => undoable.has(idOf(path)))
    .filter(({ outcome }) => outcome === "completed" || outcome === "unknown")
    .toSorted((a, b) => b.seq - a.seq)
    .map(({ path }) => path);
  const undone = world.effects
    .filter((key) => key.endsWith("/compensate"))
    .map((key) => key.slice("r/".length, -"/compensate".length).replace(/\.compensate\[.*/, ""));
  if (report.status === "completed") assert.deepEqual(undone, []);
  else assert.deepEqual(undone, standing);
  if (report.status === "failed") assert.equal(standing.length, 0);
  if (report.status === "compensated") assert.ok(standing.length > 0);
  const statuses = ["completed", "failed", "compensated", "cancelled", "timed_out"];
  assert.ok(statuses.includes(report.status), report.status);
  assert.ok(report.steps.every(({ status }) => status !== "running"), "a step still runs");
  assert.deepEqual(facts.map(({ seq }) => seq), facts.map((_, index) => index + 1));
}

Deno.test("whatever a run consists of, and wherever it is cut or cancelled, it undoes what stands and nothing else", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const made = make(seed);
    const random = randomOf(seed + 1_000_000);
    const attempt = async (cut: number, cancel: number) => {
      try {
        const played = await play(made, cut, cancel);
        check(made, played);
        return played.facts.length;
      } catch (thrown) {
        throw new Error(`seed ${seed}, cut after ${cut}, cancelled after ${cancel}`, {
          cause: thrown,
        });
      }
    };
    const facts = await attempt(Infinity, Infinity);
    const somewhere = () => 1 + Math.floor(random() * facts);
    for (let round = 0; round < 3; round++) {
      await attempt(somewhere(), Infinity);
      await attempt(Infinity, somewhere());
      await attempt(somewhere(), somewhere());
    }
  }
});
