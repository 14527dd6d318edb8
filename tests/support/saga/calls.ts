/** How calls are told: their attempts, their retries, and how one insists. */
import { type Outside, RETRY_CHOICES, SKIP_CHOICES, UNDO_CHOICES } from "./behaviour.ts";
import {
  type Around,
  type Disturbance,
  done,
  type Effect,
  type Ended,
  failed,
  type Failure,
  isTransient,
  type Sent,
  takes,
  type Undone,
  worst,
} from "./story.ts";
import { type Call, isRetriable, PATIENCE, type Undo } from "./tree.ts";

const REJECTED = ["FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "ABORTED"];
const HOPELESS = ["INVALID_ARGUMENT", "UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED"];

/** Tells calls. */
export class CallTeller {
  /** Things have come about in one moment whose order can't be told. */
  tied = false;

  constructor(readonly outside: Outside, readonly disturbance: Disturbance) {}

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
        if (asked.answer === "done") happened = true;
        else failure = { ...failure, outcome: "rejected" };
      }
      const outcome = happened ? "completed" : failure?.outcome ?? "completed";
      const mayHaveHappened = outcome === "completed" || outcome === "unknown";
      const effects: Effect[] = step.undo !== null && mayHaveHappened
        ? [{
          at,
          undone: false,
          stands: true,
          undo: (from) => this.undo(step.undo, `${run.id}/${path}`, from, outcome === "unknown"),
        }]
        : [];
      const came = [{ outcome, effect: effects[0] ?? null }];
      const pivot = step.pivot ? { from: around.at, to: at, passed: mayHaveHappened } : null;
      if (happened || failure === null) return { ...done(at), effects, came, sent, pivot };
      const ended: Ended = { ...failed(at, failure), effects, came, sent, pivot };
      if (stop <= at) return { ...ended, how: "cancelled" };
      const left = failure;
      const past = around.past || pivot?.passed === true;
      const isTaken = [step.catch, ...around.catches].some((list) =>
        list.some((one) => takes(one, left))
      );
      if (!past || isTaken) return ended;
      // What a restart makes again beside it begins while this is parked: no deadline counts then.
      if (at === this.disturbance.restartAt) this.tied = true;
      const choices = isRetriable(step) ? RETRY_CHOICES : SKIP_CHOICES;
      const decision = this.outside.decision(key, parks++, choices);
      if (decision === "abort") return { ...ended, how: "cancelled", abortedAt: at };
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
