import type { Fact } from "../machines/facts.ts";
import { applyFact } from "../machines/fold.ts";
import { emptyState, type RunState } from "../machines/records.ts";

/** How many facts may gather. */
const MOST = 1_000;

/**
 * Where a run stands by the facts that are durable: all that may be reported. Mostly nobody asks
 * before the end, when everything is durable; so facts are only folded where someone does, or where
 * many have gathered.
 */
export class Shown {
  readonly #state: RunState;
  /** Durable, and not folded yet. */
  #facts: Fact[] = [];
  #seq: number;
  #ended: boolean;

  /** @param facts what the journal held when the run was taken up */
  constructor(facts: readonly Fact[]) {
    this.#state = emptyState();
    for (const fact of facts) applyFact(this.#state, fact);
    this.#seq = this.#state.seq;
    this.#ended = this.#state.end !== null;
  }

  /** Whether that the run has ended is durable. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What can be reported from the first moment: a report needs to say of which run it is. */
  begin(started: Extract<Fact, { kind: "run_started" }>): void {
    if (this.#state.started === null) applyFact(this.#state, started);
  }

  /** A child run that had ended goes on, to be rolled back. */
  reopen(): void {
    this.#ended = false;
  }

  /** These have become durable. */
  add(facts: readonly Fact[]): void {
    for (const fact of facts) this.#facts.push(fact);
    const last = facts.at(-1);
    if (last === undefined) return;
    this.#seq = last.seq;
    this.#ended ||= last.kind === "run_ended";
    if (this.#facts.length > MOST) this.#fold();
  }

  /** Where the run stands; `state` itself, where all of it is durable. */
  upTo(state: RunState): RunState {
    if (state.seq === this.#seq) return state;
    return this.#fold();
  }

  #fold(): RunState {
    for (const fact of this.#facts) applyFact(this.#state, fact);
    this.#facts = [];
    return this.#state;
  }
}
