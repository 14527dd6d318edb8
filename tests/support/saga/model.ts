/**
 * What a run comes to, told a second time and as plainly as possible: every form is a function from
 * the moment it starts, and the moment from which nothing around it may go on, to how it ends. There
 * are no events; what fails makes its siblings be told again, with the moment at which they stop.
 */
import { type Outside, SKIP_CHOICES } from "./behaviour.ts";
import { CallTeller } from "./calls.ts";
import {
  after,
  type Around,
  type Disturbance,
  done,
  type Effect,
  type Ended,
  failed,
  inOrder,
  OUT_OF_TIME,
  type Pivot,
  type Story,
  takes,
  undoAll,
  type Undone,
  wholeOf,
} from "./story.ts";
import type { Child, Step, Tree } from "./tree.ts";

/** Tells the story of a run. */
export function tell(tree: Tree, outside: Outside, disturbance: Disturbance): Story {
  const teller = new Teller(outside, disturbance);
  const { status, ended, undone } = teller.run(tree, {
    id: "r",
    at: 0,
    cancelAt: disturbance.cancelAt,
    deadline: Infinity,
  });
  const sent = [...ended.sent, ...undone.sent].toSorted(inOrder);
  return { status, end: undone.end, sent, tied: teller.tied };
}

class Teller extends CallTeller {
  /** A whole run, with its rollback. */
  run(
    tree: Tree,
    given: { id: string; at: number; cancelAt: number; deadline: number },
  ): { status: string; ended: Ended; undone: Undone; stop: number; byTime: boolean } {
    const { id, at, cancelAt } = given;
    const run = { id, deadline: Math.min(at + tree.timeout, given.deadline) };
    const tellRoot = (stop: number) =>
      this.steps(tree.steps, {
        run,
        at,
        stop,
        blocks: Infinity,
        past: false,
        prefix: "",
        catches: [],
      });
    const { pivot } = tellRoot(Infinity);
    const cancelled = isRefused(cancelAt, pivot) ? Infinity : cancelAt;
    const timedOut = timeOf(run.deadline, pivot);
    const stop = Math.min(cancelled, timedOut);
    let ended = tellRoot(stop);
    const { abortedAt } = ended;
    if (abortedAt < stop) ended = tellRoot(abortedAt);
    // Its time was up while the pivot was under way: in that moment what comes next begins, and ends.
    if (pivot !== null && stop === pivot.to) this.tied = true;
    const times = ended.effects.map(({ at }) => at);
    if (new Set(times).size < times.length) this.tied = true;
    const nothing: Undone = { end: ended.end, sent: [], left: "nothing" };
    const byTime = timedOut < cancelled;
    if (abortedAt < Infinity) return { status: "incomplete", ended, undone: nothing, stop, byTime };
    const stopped = stop <= ended.end;
    if (!stopped && ended.how === "completed") {
      return { status: "completed", ended, undone: nothing, stop, byTime };
    }
    const undone = undoAll(ended.effects, ended.end);
    const incomplete = undone.left !== "nothing" || ended.skipped;
    const status = incomplete
      ? "incomplete"
      : stopped
      ? byTime ? "timed_out" : "cancelled"
      : ended.effects.length > 0
      ? "compensated"
      : "failed";
    return { status, ended, undone, stop, byTime };
  }

  /** One step with its `catch`; past the pivot, with the operator whom it waits for. */
  step(step: Step, around: Around): Ended {
    if (step.when === false) return done(around.at);
    const ended = this.form(step, around);
    const { failure } = ended;
    if (ended.abortedAt < Infinity) return { ...ended, how: "cancelled" };
    if (ended.how !== "failed" || failure === null || around.stop <= ended.end) return ended;
    const entry = step.catch.findIndex((one) => takes(one, failure));
    const handled = entry < 0 ? ended : this.caught(step, entry, ended, around);
    if (handled.abortedAt < Infinity) return { ...handled, how: "cancelled" };
    const past = around.past || handled.pivot?.passed === true;
    if (handled.how !== "failed" || handled.failure === null || !past) return handled;
    if (step.kind === "fail" || around.stop <= handled.end) return handled;
    const { failure: left } = handled;
    if (around.catches.some((list) => list.some((one) => takes(one, left)))) return handled;
    return this.parked(step, handled, around);
  }

  caught(step: Step, index: number, ended: Ended, around: Around): Ended {
    const entry = step.catch[index];
    if (entry === undefined) return ended;
    const undone = entry.undo
      ? undoAll(ended.effects, ended.end)
      : { end: ended.end, sent: [], left: "nothing" };
    const sofar: Ended = {
      ...ended,
      how: "completed",
      failure: null,
      end: undone.end,
      sent: [...ended.sent, ...undone.sent],
      skipped: ended.skipped || undone.left === "skipped",
    };
    if (undone.left === "aborted") return { ...sofar, how: "cancelled", abortedAt: undone.end };
    if (around.stop <= undone.end) return { ...sofar, how: "cancelled" };
    const prefix = `${around.prefix}${step.id}.catch[${index}].`;
    const past = around.past || ended.pivot?.passed === true;
    return after(sofar, this.steps(entry.steps, { ...around, at: undone.end, prefix, past }));
  }

  /** An operator lets it go on, or ends the run. */
  parked(step: Step, ended: Ended, around: Around): Ended {
    const key = `${around.run.id}/${around.prefix}${step.id}/action`;
    const decision = this.outside.decision(key, 0, SKIP_CHOICES);
    return decision === "abort"
      ? { ...ended, how: "cancelled", abortedAt: ended.end }
      : { ...ended, how: "completed", failure: null };
  }

  form(step: Step, around: Around): Ended {
    const { at, prefix, stop } = around;
    const own = at + step.timeout;
    const path = `${prefix}${step.id}`;
    const inside: Around = {
      ...around,
      stop: Math.min(stop, own),
      blocks: Math.min(around.blocks, own),
      prefix: `${path}.`,
      catches: [step.catch, ...around.catches],
    };
    switch (step.kind) {
      case "set":
        return done(at);
      case "return":
        return { ...done(at), returns: true };
      case "fail":
        return failed(at, { code: step.code, outcome: "not_sent" });
      case "wait": {
        const end = Math.min(at + step.duration, own);
        if (stop <= end) return { ...done(stop), how: "cancelled" };
        return own < at + step.duration ? failed(end, OUT_OF_TIME) : done(end);
      }
      case "call":
        return this.call(step, path, around);
      case "workflow":
        return this.child(step, path, around);
      case "steps":
        return inTime(this.steps(step.steps, inside), around, own);
      case "switch": {
        const taken = step.branches.findIndex(({ when }) => when !== false);
        const steps = step.branches[taken]?.steps ?? [];
        const branch = { ...inside, prefix: `${path}.switch[${taken}].` };
        return inTime(this.steps(steps, branch), around, own);
      }
      case "parallel": {
        const branches = step.branches.map((branch) => ({
          id: branch.id,
          needs: branch.needs,
          instant: branch.kind === "set" || branch.when === false,
          tell: (at: number, stop: number) => this.step(branch, { ...inside, at, stop }),
        }));
        return inTime(this.sideBySide(branches, step, inside), around, own);
      }
      case "foreach": {
        const rounds = Array.from({ length: step.items }, (_, round) => ({
          id: String(round),
          needs: [],
          instant: false,
          tell: (at: number, stop: number) =>
            this.steps(step.steps, { ...inside, at, stop, prefix: `${path}[${round}].` }),
        }));
        return inTime(this.sideBySide(rounds, step, inside), around, own);
      }
      case "repeat": {
        let sofar = done(at);
        for (let round = 0;; round++) {
          const past = inside.past || sofar.pivot?.passed === true;
          const ended = this.steps(step.steps, {
            ...inside,
            at: sofar.end,
            past,
            prefix: `${path}[${round}].`,
          });
          sofar = after(sofar, ended);
          if (sofar.how !== "completed" || sofar.returns || inside.stop <= sofar.end) break;
          if (round + 1 >= step.enough) break;
          if (round + 1 >= step.most) {
            const failure = { code: "REPEAT_EXHAUSTED", outcome: wholeOf(sofar) };
            sofar = { ...sofar, how: "failed", failure };
            break;
          }
          const next = sofar.end + step.every;
          sofar = { ...sofar, end: Math.min(next, inside.stop) };
          if (inside.stop <= next) break;
        }
        return inTime(sofar, around, own);
      }
    }
  }

  /** Branches or rounds: as many at a time as may be; the first that fails stops the others, or lets them be. */
  sideBySide(
    branches: readonly Branch[],
    { concurrency, finish }: { readonly concurrency: number; readonly finish: boolean },
    { at, stop }: Around,
  ): Ended {
    const waiting = [...branches];
    const settled = new Set<string>();
    let active: { branch: Branch; from: number; ended: Ended }[] = [];
    let sofar = done(at);
    let broken: Ended | null = null;
    for (;;) {
      const now = sofar.end;
      for (const branch of [...waiting]) {
        if (broken !== null || stop <= now || active.length >= concurrency) break;
        if (!branch.needs.every((id) => settled.has(id))) continue;
        waiting.splice(waiting.indexOf(branch), 1);
        const ended = branch.tell(now, stop);
        active.push({ branch, from: now, ended });
        if (ended.end > now) continue;
        if (branch.instant) break; // it is over before the next one is looked at
        if (concurrency < Infinity) this.tied = true;
      }
      const next = active.toSorted((a, b) => a.ended.end - b.ended.end)[0];
      if (next === undefined) break;
      active = active.filter((one) => one !== next);
      sofar = after(sofar, { ...next.ended, end: Math.max(now, next.ended.end) });
      settled.add(next.branch.id);
      if (next.ended.how === "completed" || broken !== null || stop <= sofar.end) continue;
      broken = next.ended;
      const { end } = broken;
      if (active.some((one) => one.from === end || one.ended.end === end)) this.tied = true;
      if (finish) continue;
      active = active.map(({ branch, from }) => ({
        branch,
        from,
        ended: branch.tell(from, Math.min(stop, end)),
      }));
    }
    if (broken !== null) return { ...sofar, how: broken.how, failure: broken.failure };
    return { ...sofar, how: stop <= sofar.end ? "cancelled" : "completed", failure: null };
  }

  /** One after the other. */
  steps(steps: readonly Step[], around: Around): Ended {
    let sofar = done(around.at);
    for (const step of steps) {
      const past = around.past || sofar.pivot?.passed === true;
      if (around.stop <= sofar.end) return { ...sofar, how: "cancelled" };
      sofar = after(sofar, this.step(step, { ...around, at: sofar.end, past }));
      if (around.stop <= sofar.end) return { ...sofar, how: "cancelled", failure: null };
      if (sofar.how !== "completed" || sofar.returns) return sofar;
    }
    return around.stop <= sofar.end ? { ...sofar, how: "cancelled" } : sofar;
  }

  /** Another workflow: a run of its own. */
  child(step: Child, path: string, around: Around): Ended {
    const { at, stop, blocks } = around;
    const id = `${around.run.id}/${path}`;
    const own = at + step.timeout;
    const told = this.run(step.tree, { id, at, cancelAt: stop, deadline: Math.min(own, blocks) });
    const { ended, undone, status } = told;
    const end = undone.end;
    const sent = [...ended.sent, ...undone.sent];
    const base = { ...done(end), sent, pivot: ended.pivot, skipped: status === "incomplete" };
    if (status === "completed") {
      const undo = (from: number): Undone => {
        if (step.undo !== null) return this.undo(step.undo, id, from, false);
        const undone = undoAll(ended.effects, from);
        // Who aborts it leaves it as it is; the others are undone all the same.
        return ended.skipped || undone.left !== "nothing" ? { ...undone, left: "skipped" } : undone;
      };
      const effect: Effect = { at: end, undone: false, stands: true, undo };
      return { ...base, effects: [effect], came: [{ outcome: "completed", effect }] };
    }
    const came = [{ outcome: "rejected", effect: null }];
    if (stop <= end) return { ...base, came, how: "cancelled" };
    const code = status === "timed_out" && own <= told.stop ? "STEP_TIMEOUT" : "CHILD_FAILED";
    return { ...base, came, how: "failed", failure: { code, outcome: "rejected" } };
  }
}

/** A block as its own timeout leaves it. */
function inTime(ended: Ended, around: Around, own: number): Ended {
  const stop = Math.min(around.stop, own);
  if (
    ended.abortedAt < Infinity || ended.end < stop ||
    ended.how === "failed" && ended.failure !== null
  ) {
    return ended;
  }
  return own < around.stop
    ? {
      ...ended,
      how: "failed",
      failure: { ...OUT_OF_TIME, outcome: wholeOf(ended) },
      returns: false,
    }
    : { ...ended, how: "cancelled", returns: false };
}

interface Branch {
  readonly id: string;
  readonly needs: readonly string[];
  /** It ends in the moment it starts, without anything in it that could start. */
  readonly instant: boolean;
  readonly tell: (at: number, stop: number) => Ended;
}

/** Once it is passed, and while it is under way, there is no way back. */
function isRefused(cancelAt: number, pivot: Pivot | null): boolean {
  if (pivot === null || cancelAt < pivot.from) return false;
  return pivot.passed || cancelAt < pivot.to;
}

/** When its time is up: not while the pivot is under way, and never once it is passed. */
function timeOf(deadline: number, pivot: Pivot | null): number {
  if (pivot === null || deadline <= pivot.from) return deadline;
  return pivot.passed ? Infinity : Math.max(deadline, pivot.to);
}
