/**
 * What must be true of one order, its books and its facts, when its run has ended.
 *
 * @module
 */
import type { StoredFact } from "../../mod.ts";
import type { Arrival, Effect } from "./bank.ts";
import { type Facts, type Remains, STEP_ENDS } from "./evidence.ts";
import { NEVER_UNDONE, standing, type StoryName, storyOf } from "./stories.ts";

/** How long the bank's books must show between two postings, in milliseconds. */
const WAITS = [["tax", "duty", 20], ["hold", "pick-a", 30], ["number", "file", 10]] as const;

/** One order's books and facts. */
export class OrderAudit {
  readonly #id: string;
  readonly #story: StoryName;
  readonly #facts: Facts;
  readonly #arrivals: readonly Arrival[];
  readonly #effects: readonly Effect[];
  /** Arrivals of each action, and of what undoes it, by the action's key. */
  readonly #actions: ReadonlyMap<string, Arrival[]>;
  readonly #undoings: ReadonlyMap<string, Arrival[]>;
  readonly #problems: string[] = [];

  constructor({ facts, arrivals, effects }: Remains, id: string, story: StoryName) {
    this.#id = id;
    this.#story = story;
    this.#facts = facts;
    this.#arrivals = arrivals.filter(({ order }) => order === id);
    this.#effects = effects.filter(({ order }) => order === id);
    const by = (op: string) =>
      Map.groupBy(this.#arrivals.filter((one) => one.op === op), ({ actionKey }) => actionKey);
    this.#actions = by("action");
    this.#undoings = by("compensate");
  }

  problems(): string[] {
    const status = this.#end();
    this.#checkEffects(status);
    this.#checkReceipts();
    this.#checkNothingComesLate();
    this.#checkOrder();
    this.#checkWaits();
    return this.#problems;
  }

  #say(problem: string): void {
    this.#problems.push(`${this.#id} (${this.#story}): ${problem}`);
  }

  /** It ended once, as it may. */
  #end(): string {
    const facts = this.#facts.get(this.#id) ?? [];
    const ends = facts.filter(({ kind }) => kind === "run_ended");
    const status = String(ends.at(-1)?.["status"]);
    if (ends.length !== 1) this.#say(`it ended ${ends.length} times`);
    else if (facts.at(-1)?.kind !== "run_ended") this.#say("it went on after its end");
    if (!storyOf(this.#story).ends.includes(status)) this.#say(`it ended as ${status}`);
    return status;
  }

  /** Nothing doubled, nothing lost, nothing left, and what stands adds up to nothing. */
  #checkEffects(status: string): void {
    const stands = new Set<string>();
    const accounts = new Map<string, number>();
    const seen = new Set<string>();
    for (const { kind, memo, account, amount } of this.#effects) {
      if (seen.has(`${kind} ${memo}`)) this.#say(`${memo} was ${kind} twice`);
      seen.add(`${kind} ${memo}`);
      const sign = kind === "done" ? 1 : -1;
      accounts.set(account, (accounts.get(account) ?? 0) + sign * amount);
      if (kind === "done") stands.add(memo);
      else if (!stands.delete(memo)) this.#say(`${memo} was undone before it was done`);
    }
    // The compensation of a packing has a second step, which posts a note.
    const unpacked = [...this.#undoings.values()].flat()
      .filter(({ method, memo }) => method === "Undo" && memo.startsWith("pack-"));
    const notes = unpacked.map(({ memo }) => memo.replace("pack", "note"));
    const expected = standing(this.#story, status).union(new Set(notes));
    for (const memo of expected) if (!stands.has(memo)) this.#say(`${memo} is lost`);
    for (const memo of stands) {
      if (!expected.has(memo) && memo !== NEVER_UNDONE) this.#say(`${memo} still stands`);
    }
    const total = [...accounts.values()].reduce((sum, balance) => sum + balance, 0);
    if (total !== 0) this.#say(`its accounts add up to ${total}`);
    for (const [account, balance] of accounts) {
      if (status !== "completed" && balance !== 0) this.#say(`${balance} is left on ${account}`);
    }
  }

  /**
   * What was sent with a receipt proves that the work behind the receipt was known to be done: it is
   * not asked for again. A compensation has the receipt of what it undoes, and is about that alone.
   */
  #checkReceipts(): void {
    const receipts = new Map(this.#effects.map((effect) => [effect.entry, effect]));
    const firsts = new Map<string, Arrival>(); // who first showed a receipt
    for (const arrival of this.#arrivals) {
      for (const entry of arrival.after) {
        const shown = firsts.get(entry);
        if (shown === undefined || isBefore(arrival, shown)) firsts.set(entry, arrival);
        if (!receipts.has(entry)) this.#say(`${arrival.key} shows a receipt of nothing: ${entry}`);
      }
    }
    for (const [entry, shown] of firsts) {
      const actionKey = receipts.get(entry)?.actionKey ?? "";
      for (const again of this.#actions.get(actionKey) ?? []) {
        if (isBefore(shown, again)) this.#say(`${actionKey} was called again after ${shown.key}`);
      }
    }
    for (const [actionKey, undoings] of this.#undoings) {
      const [action] = this.#actions.get(actionKey) ?? [];
      for (const { method, key, memo, entry } of undoings) {
        if (method !== "Undo") continue;
        const about = receipts.get(entry)?.actionKey ?? actionKey;
        if (about !== actionKey || action !== undefined && action.memo !== memo) {
          this.#say(`${key} undoes something else: ${memo} ${entry}`);
        }
        // Done once, answered OK, and known: then the receipt is known too.
        if (entry === "" && this.#isKnown(actionKey)) this.#say(`${key} has lost its receipt`);
      }
    }
  }

  /** The journal has the action as completed. */
  #isKnown(actionKey: string): boolean {
    return this.#facts.get(runOf(actionKey))?.some((fact) =>
      fact.kind === "step_completed" && fact["op"] === "action" &&
      `${runOf(actionKey)}/${fact["path"]}/action` === actionKey
    ) ?? false;
  }

  /** Once its compensation has been sent, an action is not. */
  #checkNothingComesLate(): void {
    for (const [actionKey, [undoing]] of this.#undoings) {
      for (const action of this.#actions.get(actionKey) ?? []) {
        if (undoing !== undefined && isBefore(undoing, action)) {
          this.#say(`${actionKey} was called after its compensation`);
        }
      }
    }
  }

  /** Undone in the reverse order of completion, and one at a time. */
  #checkOrder(): void {
    const undone = [...this.#undoings].map(([actionKey, undoings]) => ({
      actionKey,
      began: undoings[0],
      over: undoings.at(-1),
      rank: this.#rankOf(actionKey),
      asked: this.#actions.get(actionKey)?.[0],
    }));
    for (const a of undone) {
      if (a.rank === null) this.#say(`${a.actionKey} was undone, and had not come about`);
      for (const b of undone) {
        if (a === b || !a.began || !b.began || !b.over || !a.rank || !b.rank) continue;
        if (isBefore(a.began, b.began) && isBefore(b.began, a.over)) {
          this.#say(`${a.actionKey} and ${b.actionKey} were undone at the same time`);
        }
        if (!isLess(a.rank, b.rank)) continue; // a came about before b, and is undone after it,
        if (b.asked && isBefore(a.began, b.asked)) continue; // unless b began when a had been undone
        if (!isBefore(b.over, a.began)) {
          this.#say(`${a.actionKey} was undone before ${b.actionKey}, which came about later`);
        }
      }
    }
  }

  /** When an action came about, by the facts: its place in its run, after its run's in the parent. */
  #rankOf(actionKey: string): readonly number[] | null {
    const run = runOf(actionKey);
    const path = actionKey.slice(run.length + 1).replace(/\/action$/, "");
    const own = endOf(this.#facts.get(run) ?? [], path);
    if (own === null) return null;
    if (run === this.#id) return [own];
    const parent = endOf(this.#facts.get(this.#id) ?? [], run.slice(this.#id.length + 1));
    // A child that is still open is undone before all that its parent has done.
    return [parent ?? Infinity, own];
  }

  /** What comes after a wait comes no earlier. */
  #checkWaits(): void {
    for (const [before, after, wait] of WAITS) {
      const asked = this.#firstOf(after)?.at;
      const answered = this.#arrivals.filter(({ op, memo }) => op === "action" && memo === before)
        .at(-1)?.answered?.at;
      if (asked !== undefined && answered !== undefined && asked - answered < wait) {
        this.#say(`${after} came ${asked - answered} ms after ${before}`);
      }
    }
  }

  #firstOf(memo: string): Arrival | undefined {
    return this.#arrivals.find((one) => one.op === "action" && one.memo === memo);
  }
}

/** Whether one call was made before another: a later process's are later, whatever arrives when. */
function isBefore(one: Arrival | undefined, other: Arrival | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.life < other.life || one.life === other.life && one.n < other.n;
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}

/** The number of the fact by which an action was done, or left in doubt. */
function endOf(facts: readonly StoredFact[], path: string): number | null {
  return facts.find((fact) =>
    fact["path"] === path && fact["op"] === "action" && STEP_ENDS.has(fact.kind)
  )?.seq ?? null;
}

/** The run that a key is of: a child's id has its parent's and a path. */
function runOf(actionKey: string): string {
  const parts = actionKey.split("/");
  return parts.slice(0, -2).join("/");
}
