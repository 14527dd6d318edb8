/**
 * What a run comes to, told a second time and as plainly as possible: every form is a function from
 * the moment it starts, and the moment from which nothing around it may go on, to how it ends. There
 * are no events; what fails makes its siblings be told again, with the moment at which they stop.
 */
import type { Call, Child, Entry, Step, Tree, Undo } from "./tree.ts";
import { isRetriable, PATIENCE } from "./tree.ts";
import { type Outside, RETRY_CHOICES, SKIP_CHOICES, UNDO_CHOICES } from "./behaviour.ts";

/** A call that reaches a service. */
export interface Sent {
  readonly at: number;
  readonly key: string;
  readonly attempt: number;
}

/** How a run ends. */
export interface Story {
  readonly status: string;
  readonly end: number;
  readonly sent: readonly Sent[];
  /** Two things happened in one moment, so that their order means nothing. */
  readonly tied: boolean;
}

/** What comes from outside, besides replies. */
export interface Disturbance {
  /** When somebody cancels the run. */
  readonly cancelAt: number;
  /** When the process ends and another goes on. */
  readonly restartAt: number;
}

/** What a run consists of while it is told. */
interface Run {
  readonly id: string;
  /** When its own time is up. */
  readonly deadline: number;
}

/** Where and when a step is told. */
interface Around {
  readonly run: Run;
  readonly at: number;
  /** From when on what is around it is failing, cancelled or out of time. */
  readonly stop: number;
  /** When the first of the blocks around it is out of time. */
  readonly blocks: number;
  /** The pivot is behind. */
  readonly past: boolean;
  /** The path of the block, with what joins a step's id to it. */
  readonly prefix: string;
  /** The `catch` lists around. */
  readonly catches: readonly (readonly Entry[])[];
}

interface Failure {
  readonly code: string;
  readonly outcome: string;
}

/** Something that happened, or may have, and how it is undone. */
interface Effect {
  readonly at: number;
  readonly undo: (from: number) => Undone;
  undone: boolean;
}

interface Undone {
  readonly end: number;
  readonly sent: readonly Sent[];
  readonly left: "nothing" | "skipped" | "aborted";
}

interface Pivot {
  readonly from: number;
  readonly to: number;
  readonly passed: boolean;
}

interface Ended {
  readonly end: number;
  readonly how: "completed" | "failed" | "cancelled";
  readonly failure: Failure | null;
  readonly effects: readonly Effect[];
  readonly sent: readonly Sent[];
  readonly pivot: Pivot | null;
  /** It ends the run, as completed. */
  readonly returns: boolean;
  /** An operator ended the run. */
  readonly aborted: boolean;
  /** An operator left something undone that a `catch`, or a child run, was to undo. */
  readonly skipped: boolean;
}

const REJECTED = ["FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "ABORTED"];
const HOPELESS = ["INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED"];

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

/** By time; what is sent in one moment by its key. */
export function inOrder(a: Sent, b: Sent): number {
  return a.at - b.at || (a.key < b.key ? -1 : 1);
}

class Teller {
  /** Two effects of one run have come about in one moment. */
  tied = false;

  constructor(readonly outside: Outside, readonly disturbance: Disturbance) {}

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
    const timedOut = isLifted(run.deadline, pivot) ? Infinity : run.deadline;
    const stop = Math.min(cancelled, timedOut);
    const ended = tellRoot(stop);
    const times = ended.effects.map(({ at }) => at);
    if (new Set(times).size < times.length) this.tied = true;
    const nothing: Undone = { end: ended.end, sent: [], left: "nothing" };
    const byTime = timedOut < cancelled;
    if (ended.aborted) return { status: "incomplete", ended, undone: nothing, stop, byTime };
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
    if (ended.how !== "failed" || failure === null || around.stop <= ended.end) return ended;
    const entry = step.catch.findIndex((one) => takes(one, failure));
    const handled = entry < 0 ? ended : this.caught(step, entry, ended, around);
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
    if (undone.left === "aborted") return { ...sofar, how: "cancelled", aborted: true };
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
      ? { ...ended, how: "cancelled", aborted: true }
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
          tell: (at: number, stop: number) => this.step(branch, { ...inside, at, stop }),
        }));
        return inTime(this.sideBySide(branches, step, inside), around, own);
      }
      case "foreach": {
        const rounds = Array.from({ length: step.items }, (_, round) => ({
          id: String(round),
          needs: [],
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
            const failure = { code: "REPEAT_EXHAUSTED", outcome: "not_sent" };
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
        active.push({ branch, from: now, ended: branch.tell(now, stop) });
      }
      const next = active.toSorted((a, b) => a.ended.end - b.ended.end)[0];
      if (next === undefined) break;
      active = active.filter((one) => one !== next);
      sofar = after(sofar, { ...next.ended, end: Math.max(now, next.ended.end) });
      settled.add(next.branch.id);
      if (next.ended.how === "completed" || broken !== null || stop <= sofar.end) continue;
      broken = next.ended;
      const { end } = next.ended;
      if (active.some((one) => one.from === end || one.ended.end === end)) this.tied = true;
      if (finish && !next.ended.aborted) continue;
      const failedAt = next.ended.end;
      active = active.map(({ branch, from }) => ({
        branch,
        from,
        ended: branch.tell(from, Math.min(stop, failedAt)),
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
      if (sofar.how !== "completed" || sofar.returns) return sofar;
    }
    return around.stop <= sofar.end ? { ...sofar, how: "cancelled" } : sofar;
  }

  /** A call with its attempts, and with the question whether it happened. */
  call(step: Call, path: string, around: Around): Ended {
    const { run, stop } = around;
    const key = `${run.id}/${path}/action`;
    const sent: Sent[] = [];
    const outcomes: string[] = [];
    const forever = around.past || step.pivot;
    const outer = Math.min(around.blocks, forever ? Infinity : run.deadline);
    let attempt = 0; // made so far
    let tries = 0; // made since it was parked
    let parks = 0;
    let at = around.at;
    let own = at + step.timeout;
    for (;;) {
      let failure: Failure | null = null;
      let happened = false;
      let until = at;
      if (step.misfit) failure = { code: "INVALID_REQUEST", outcome: "not_sent" };
      while (failure === null && !happened) {
        attempt++;
        tries++;
        const answer = this.#attempt(step, key, attempt, {
          at,
          stop,
          granted: (from: number) => Math.min(step.attemptTimeout, own - from, outer - from),
        });
        sent.push(...answer.sent);
        outcomes.push(answer.outcome);
        at = answer.end;
        until = answer.until;
        happened = answer.outcome === "completed";
        if (happened) break;
        const code = answer.code === "DEADLINE_EXCEEDED" && at >= own
          ? "STEP_TIMEOUT"
          : answer.code;
        const again = isTransient(answer.code) &&
          (step.idempotent || answer.outcome === "not_sent") && tries < step.attempts &&
          stop > at && at + step.retryDelay < Math.min(own, outer);
        if (!again) failure = { code, outcome: worst(outcomes) };
        else if (stop <= at + step.retryDelay) {
          at = stop;
          failure = { code, outcome: worst(outcomes) };
        } else at += step.retryDelay;
      }
      if (failure?.outcome === "unknown" && step.verify) {
        const asked = this.#insist(`${run.id}/${path}/verify`, Math.max(at, until));
        sent.push(...asked.sent);
        at = asked.end;
        if (asked.answer === "aborted") {
          return { ...failed(at, failure), sent, how: "cancelled", aborted: true };
        }
        if (asked.answer === "done") happened = true;
        else failure = { ...failure, outcome: "rejected" };
      }
      const outcome = happened ? "completed" : failure?.outcome ?? "completed";
      const mayHaveHappened = outcome === "completed" || outcome === "unknown";
      const effects: Effect[] = step.undo !== null && mayHaveHappened
        ? [{
          at,
          undone: false,
          undo: (from) => this.undo(step.undo, `${run.id}/${path}`, from, outcome === "unknown"),
        }]
        : [];
      const pivot = step.pivot ? { from: around.at, to: at, passed: mayHaveHappened } : null;
      if (happened || failure === null) return { ...done(at), effects, sent, pivot };
      const ended: Ended = { ...failed(at, failure), effects, sent, pivot };
      if (stop <= at) return { ...ended, how: "cancelled" };
      const left = failure;
      const past = around.past || pivot?.passed === true;
      const isTaken = [step.catch, ...around.catches].some((list) =>
        list.some((one) => takes(one, left))
      );
      if (!past || isTaken) return ended;
      const choices = isRetriable(step) ? RETRY_CHOICES : SKIP_CHOICES;
      const decision = this.outside.decision(key, parks++, choices);
      if (decision === "abort") return { ...ended, how: "cancelled", aborted: true };
      if (decision === "skip") return { ...ended, how: "completed", failure: null };
      tries = 0;
      own = at + step.timeout;
    }
  }

  /** One attempt of an action; what a restart found under way is made again where it may be. */
  #attempt(
    step: Call,
    key: string,
    attempt: number,
    { at, stop, granted }: { at: number; stop: number; granted: (from: number) => number },
  ) {
    const { restartAt } = this.disturbance;
    const reply = this.outside.reply(key, attempt);
    const sent: Sent[] = [{ at, key, attempt }];
    const endOf = (from: number) => {
      const most = granted(from);
      const late = reply.code === "HANG" || reply.duration >= most;
      return { late, end: from + (late ? most : reply.duration), until: from + most };
    };
    let { late, end, until } = endOf(at);
    let remade = false;
    const given = (code: string, end: number) => ({ sent, code, outcome: "unknown", end, until });
    if (stop === restartAt && stop < Infinity) this.tied = true; // something else was not made again
    if (restartAt > at && restartAt < end && (step.undo !== null || restartAt < stop)) {
      if (stop <= restartAt) return given("CANCELLED", restartAt);
      if (!step.idempotent) return given("UNKNOWN", restartAt);
      remade = true;
      sent.push({ at: restartAt, key, attempt });
      ({ late, end, until } = endOf(restartAt));
    }
    if (stop < end && step.undo === null) return given("CANCELLED", stop);
    if (late) return given("DEADLINE_EXCEEDED", end);
    if (reply.code === "OK") return { sent, code: "OK", outcome: "completed", end, until };
    const outcome = reply.unsent
      ? remade ? "unknown" : "not_sent"
      : REJECTED.includes(reply.code)
      ? "rejected"
      : "unknown";
    return { sent, code: reply.code, outcome, end, until };
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
      return { ...base, effects: [{ at: end, undone: false, undo }] };
    }
    if (stop <= end) return { ...base, how: "cancelled" };
    const code = status === "timed_out" && own <= told.stop ? "STEP_TIMEOUT" : "CHILD_FAILED";
    return { ...base, how: "failed", failure: { code, outcome: "rejected" } };
  }

  /** Undoes one step by its `compensate`. */
  undo(undo: Undo | null, path: string, from: number, unknown: boolean): Undone {
    if (undo === null) return { end: from, sent: [], left: "nothing" };
    const keys = undo.kind === "call"
      ? [`${path}/compensate`]
      : Array.from({ length: undo.count }, (_, index) => `${path}.compensate[${index}]/compensate`);
    const sent: Sent[] = [];
    let end = from;
    let left: Undone["left"] = "nothing";
    for (const key of keys) {
      const answer = this.#insist(key, end, undo.kind === "call" && undo.reads && unknown);
      end = answer.end;
      sent.push(...answer.sent);
      if (answer.answer === "aborted") return { end, sent, left: "aborted" };
      if (answer.answer === "skipped") left = "skipped";
    }
    return { end, sent, left };
  }

  /** A compensation or a verification: tried until it is answered, or an operator says otherwise. */
  #insist(key: string, from: number, unmakeable = false) {
    const { restartAt } = this.disturbance;
    const { initial, multiplier, most, giveUpAfter, attemptTimeout } = PATIENCE;
    const sent: Sent[] = [];
    let [at, since, failures, attempt, parks] = [from, from, 0, 0, 0];
    let [changed, unmade] = ["", unmakeable];
    for (;;) {
      let code = "EXPRESSION_ERROR";
      if (!unmade) {
        attempt++;
        const reply = this.outside.reply(`${key}${changed}`, attempt);
        const duration = reply.code === "HANG" ? attemptTimeout : reply.duration;
        sent.push({ at, key: `${key}${changed}`, attempt });
        if (restartAt > at && restartAt < at + duration) {
          at = restartAt;
          sent.push({ at, key: `${key}${changed}`, attempt });
        }
        at += duration;
        code = reply.code;
        failures++;
      }
      if (code === "OK") return { sent, end: at, answer: "done" };
      if (code === "NOT_FOUND") return { sent, end: at, answer: "not there" };
      const delay = Math.min(most, initial * multiplier ** (failures - 1));
      if (!unmade && !HOPELESS.includes(code) && at + delay < since + giveUpAfter) {
        at += delay;
        continue;
      }
      const choices = key.endsWith("/verify") ? ["retry"] as const : UNDO_CHOICES;
      const decision = this.outside.decision(key, parks++, choices);
      if (decision === "skip") return { sent, end: at, answer: "skipped" };
      if (decision === "abort") return { sent, end: at, answer: "aborted" };
      if (decision === "input") {
        unmade = false;
        changed = changed === "" ? "#2" : `#${Number(changed.slice(1)) + 1}`;
      }
      [since, failures] = [at, 0];
    }
  }
}

const OUT_OF_TIME: Failure = { code: "STEP_TIMEOUT", outcome: "not_sent" };

function done(at: number): Ended {
  return {
    end: at,
    how: "completed",
    failure: null,
    effects: [],
    sent: [],
    pivot: null,
    returns: false,
    aborted: false,
    skipped: false,
  };
}

function failed(at: number, failure: Failure): Ended {
  return { ...done(at), how: "failed", failure };
}

/** What happened before, and what came of the step after it. */
function after(before: Ended, next: Ended): Ended {
  return {
    ...next,
    effects: [...before.effects, ...next.effects],
    sent: [...before.sent, ...next.sent],
    pivot: before.pivot?.passed ? before.pivot : next.pivot ?? before.pivot,
    aborted: before.aborted || next.aborted,
    skipped: before.skipped || next.skipped,
  };
}

/** A block as its own timeout leaves it. */
function inTime(ended: Ended, around: Around, own: number): Ended {
  const stop = Math.min(around.stop, own);
  if (ended.aborted || ended.end < stop || ended.how === "failed" && ended.failure !== null) {
    return ended;
  }
  return own < around.stop
    ? { ...ended, how: "failed", failure: OUT_OF_TIME, returns: false }
    : { ...ended, how: "cancelled", returns: false };
}

interface Branch {
  readonly id: string;
  readonly needs: readonly string[];
  readonly tell: (at: number, stop: number) => Ended;
}

/** Undoes what is not undone yet, the last first. */
function undoAll(effects: readonly Effect[], from: number): Undone {
  const sent: Sent[] = [];
  let end = from;
  let left: Undone["left"] = "nothing";
  for (const effect of effects.toSorted((a, b) => b.at - a.at)) {
    if (effect.undone) continue;
    const undone = effect.undo(end);
    effect.undone = true;
    end = undone.end;
    sent.push(...undone.sent);
    if (undone.left === "aborted") return { end, sent, left: "aborted" };
    if (undone.left === "skipped") left = "skipped";
  }
  return { end, sent, left };
}

function takes({ codes, outcome }: Entry, failure: Failure): boolean {
  return (codes.length === 0 || codes.includes(failure.code)) &&
    (outcome === null || outcome === failure.outcome);
}

function isTransient(code: string): boolean {
  return code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED";
}

function worst(outcomes: readonly string[]): string {
  if (outcomes.includes("unknown")) return "unknown";
  return outcomes.includes("rejected") ? "rejected" : "not_sent";
}

/** Once it is passed, and while it is under way, there is no way back. */
function isRefused(cancelAt: number, pivot: Pivot | null): boolean {
  if (pivot === null || cancelAt < pivot.from) return false;
  return pivot.passed || cancelAt < pivot.to;
}

function isLifted(deadline: number, pivot: Pivot | null): boolean {
  return pivot !== null && deadline >= pivot.from && (pivot.passed || deadline < pivot.to);
}
