/**
 * What must be true of the bank's books and the journal's facts, however often the process between
 * them was killed. Reads both as they were written; knows nothing of how Maestro folds its facts.
 *
 * @module
 */
import type { StoredFact } from "../../mod.ts";
import { OrderAudit } from "./audit_order.ts";
import type { Arrival } from "./bank.ts";
import { type Evidence, type Facts, type Life, type Remains, STEP_ENDS } from "./evidence.ts";

/** What is wrong; nothing, where all is well. What is wrong once is often seen in each life: it is said once. */
export function audit({ lives, remains }: Evidence): string[] {
  const { facts } = remains;
  const before = lives.at(-1)?.after ?? new Map();
  return [
    ...new Set([
      ...lives.flatMap(auditLife),
      ...auditFacts(before, facts),
      ...auditKeys(remains),
      ...[...remains.stories].flatMap(([id, name]) => new OrderAudit(remains, id, name).problems()),
    ]),
  ];
}

/** The most attempts that a step's `retry` allows. */
const ATTEMPTS = 4;

/** The words for a run that has not ended. */
const OPEN: ReadonlySet<string> = new Set(["running", "compensating", "needs_attention"]);

/** What was durable stays, in its place. What was not read anew is the same. */
function auditFacts(before: Facts, after: Facts): string[] {
  const problems: string[] = [];
  for (const [run, facts] of before) {
    const now = after.get(run) ?? [];
    if (now === facts) continue;
    const changed = facts.find((fact, index) => !isSame(fact, now[index]));
    if (changed !== undefined) problems.push(`fact ${changed.seq} of ${run} is lost or changed`);
  }
  for (const [run, facts] of after) {
    if (facts === before.get(run)) continue;
    const gap = facts.findIndex(({ seq }, index) => seq !== index + 1);
    if (gap >= 0) problems.push(`fact ${gap + 1} of ${run} is not in its place`);
  }
  return problems;
}

/** What one process sent, wrote and said is what its facts say. */
function auditLife({ number, before, after, noted, arrivals, told }: Life): string[] {
  const problems = auditFacts(before, after);
  // Of the others nothing was sent: they had ended.
  const alive = new Map([...after].filter(([run, facts]) => facts !== before.get(run)));
  const say = (problem: string) => problems.push(`${problem}, in life ${number}`);

  for (const { run, from, to, durable } of noted) {
    const last = after.get(run)?.length ?? 0;
    if (durable && last < to) say(`facts ${from} to ${to} of ${run} were durable, and are lost`);
    if (last >= from && last < to) say(`facts ${from} to ${to} of ${run} were not written as one`);
  }
  for (const [run, status] of told) {
    const last = after.get(run)?.at(-1);
    const isOpen = OPEN.has(status);
    if (isOpen !== (last?.kind !== "run_ended") || !isOpen && last?.["status"] !== status) {
      say(`${run} was said to be ${status}`);
    }
  }

  const begun = new Set<string>();
  const ended = new Set<string>();
  for (const [run, facts] of alive) {
    for (const { kind, path, op, attempt } of facts) {
      const name = `${run}/${path}/${op} ${attempt}`;
      if (kind === "attempt_ended") ended.add(name);
      if (kind !== "attempt_started") continue;
      begun.add(name);
      if (ended.has(name)) say(`attempt ${name} began after it had ended`);
    }
  }
  const settled = new Set(
    [...alive.keys()].flatMap((run) => settledKeys(run, before.get(run) ?? [])),
  );
  for (const [run, facts] of alive) {
    for (const { kind, path, op, action } of facts.slice(before.get(run)?.length ?? 0)) {
      if (kind === "attention_resolved" && action === "retry") {
        settled.delete(`${run}/${path}/${op}`);
      }
    }
  }
  for (const { key, attempt } of arrivals) {
    if (!begun.has(`${key} ${attempt}`)) say(`attempt ${key} ${attempt} was sent, and is no fact`);
    if (settled.has(key)) say(`${key} had been settled, and was called again`);
  }
  return problems;
}

/** A run's keys that are not to be called again. */
function settledKeys(run: string, facts: readonly StoredFact[]): string[] {
  const settled = new Set<string>();
  for (const { kind, path, op, action, nextAt } of facts) {
    const key = `${run}/${path}/${op}`;
    const isLast = kind === "attempt_ended" && nextAt === null;
    if (isLast || kind === "step_doubted" || STEP_ENDS.has(kind)) settled.add(key);
    if (kind === "attention_resolved" && action === "retry") settled.delete(key);
  }
  return [...settled];
}

/** Keys, digests and attempts: what the bank saw of each call. */
function auditKeys({ arrivals, facts }: Remains): string[] {
  const problems: string[] = [];
  const late = lateAttempts(facts);
  for (const [key, calls] of Map.groupBy(arrivals, ({ key }) => key)) {
    const [first] = calls;
    if (first === undefined) continue;
    const { run, step, op, actionKey } = first;
    if (key !== `${run}/${step}/${op}`) {
      problems.push(`${key} is not the key of ${run} ${step} ${op}`);
    }
    if (op !== "action" && !key.startsWith(actionKey.replace(/\/action$/, ""))) {
      problems.push(`${key} is said to be about ${actionKey}`);
    }
    for (const name of ["digest", "method", "memo", "actionKey"] as const) {
      if (calls.some((call) => call[name] !== first[name])) {
        problems.push(`${key} came with more than one ${name}`);
      }
    }
    let before: Arrival | null = null;
    for (const call of calls) {
      const { attempt, life } = call;
      const last: number = before?.attempt ?? 0;
      if (attempt < last) problems.push(`${key} went back from attempt ${last} to ${attempt}`);
      for (let missing = last + 1; missing < attempt; missing++) {
        if (!late.has(`${key} ${missing}`)) {
          problems.push(`attempt ${missing} of ${key} never came`);
        }
      }
      if (attempt === last && life === before?.life) {
        problems.push(`${key} made attempt ${attempt} twice in life ${life}`);
      }
      if (op === "action" && attempt > ATTEMPTS) problems.push(`${key} made attempt ${attempt}`);
      before = call;
    }
    if (first.memo === "once" && op === "action" && calls.length > 1) {
      problems.push(`${key} may be called once, and was called ${calls.length} times`);
    }
  }
  return problems;
}

/** Attempts whose deadline passed, perhaps before they got anywhere. */
function lateAttempts(facts: Facts): Set<string> {
  const late = new Set<string>();
  for (const [run, list] of facts) {
    for (const { kind, path, op, attempt, code } of list) {
      if (kind !== "attempt_ended" || code !== "DEADLINE_EXCEEDED") continue;
      late.add(`${run}/${path}/${op} ${attempt}`);
    }
  }
  return late;
}

function isSame(fact: StoredFact, other: StoredFact | undefined): boolean {
  return JSON.stringify(fact) === JSON.stringify(other);
}
