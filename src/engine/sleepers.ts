import type { Claim, Clock } from "./doors.ts";
import type { Hold } from "./seat.ts";

/** How long before its moment a run is woken, in milliseconds: so that it is ready for it. */
const EARLY = 250;

/** How many are woken at a time: after a night's rest all may be due at once. */
const AT_ONCE = 200;

/** A run that sleeps. */
export interface Sleeper {
  readonly claim: Claim;
  /** When it goes on by itself, in milliseconds since the epoch; `null`: never. */
  readonly dueAt: number | null;
  /** It waits for an operator. */
  readonly parked: boolean;
  /** That it can't be woken has been told: it is tried again. */
  readonly told?: boolean;
  /** Its place, where it had one here. */
  readonly hold: Hold | null;
}

/** A place in the heap. */
interface Due {
  readonly dueAt: number;
  /** `null`: it was woken otherwise. */
  sleeper: Sleeper | null;
}

/** The runs of one engine that sleep. A hundred thousand of them cost one timer and a heap of moments. */
export class Sleepers {
  readonly #clock: Clock;
  readonly #wake: (sleeper: Sleeper) => Promise<unknown>;
  readonly #byId = new Map<string, { readonly sleeper: Sleeper; readonly due: Due | null }>();
  /** A binary heap, the earliest first. */
  #heap: Due[] = [];
  #armedFor = Infinity;
  #disarm = () => {};
  /** How many of them wait for no operator. */
  #waiting = 0;
  /** How many are being woken. */
  #waking = 0;

  /** @param wake wakes one whose moment is near; it is out of the list then */
  constructor(clock: Clock, wake: (sleeper: Sleeper) => Promise<unknown>) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** How many of them wait for no operator. */
  get waiting(): number {
    return this.#waiting;
  }

  add(sleeper: Sleeper): void {
    const { claim, dueAt, parked } = sleeper;
    const due = dueAt === null ? null : { dueAt, sleeper };
    this.#byId.set(claim.runId, { sleeper, due });
    if (!parked) this.#waiting++;
    if (due === null) return;
    push(this.#heap, due);
    this.#arm();
  }

  has(runId: string): boolean {
    return this.#byId.has(runId);
  }

  /** Takes one out, to wake it. */
  take(runId: string): Sleeper | undefined {
    const found = this.#byId.get(runId);
    if (found === undefined) return undefined;
    const { sleeper, due } = found;
    this.#byId.delete(runId);
    if (!sleeper.parked) this.#waiting--;
    if (due !== null) due.sleeper = null; // its moment may be far, and nothing of it is needed until then
    return sleeper;
  }

  /** All of them, which are forgotten. */
  clear(): readonly Sleeper[] {
    const all = [...this.#byId.values()].map(({ sleeper }) => sleeper);
    this.#byId.clear();
    this.#heap = [];
    this.#waiting = 0;
    this.#disarm();
    return all;
  }

  #arm(): void {
    const next = (this.#heap[0]?.dueAt ?? Infinity) - EARLY;
    if (next >= this.#armedFor || this.#waking >= AT_ONCE) return;
    this.#disarm();
    this.#armedFor = next;
    this.#disarm = this.#clock.at(next, () => this.#look());
  }

  #look(): void {
    this.#armedFor = Infinity;
    const soon = this.#clock.now() + EARLY;
    for (let due = this.#heap[0]; due !== undefined && due.dueAt <= soon; due = this.#heap[0]) {
      if (this.#waking >= AT_ONCE) return; // who is awake wakes the next
      pop(this.#heap);
      const { sleeper } = due;
      if (sleeper === null) continue;
      this.take(sleeper.claim.runId);
      this.#waking++;
      const awake = () => {
        this.#waking--;
        this.#arm();
      };
      this.#wake(sleeper).then(awake, awake);
    }
    this.#arm();
  }
}

function push(heap: Due[], due: Due): void {
  let at = heap.push(due) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    if (before(heap[up], due)) break;
    swap(heap, at, up);
    at = up;
  }
}

function pop(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let at = 0;;) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && !before(heap[least], heap[child])) least = child;
    }
    if (least === at) return;
    swap(heap, at, least);
    at = least;
  }
}

function before(one: Due | undefined, other: Due | undefined): boolean {
  return (one?.dueAt ?? Infinity) <= (other?.dueAt ?? Infinity);
}

function swap(heap: Due[], one: number, other: number): void {
  const [a, b] = [heap[one], heap[other]];
  if (a === undefined || b === undefined) return;
  heap[one] = b;
  heap[other] = a;
}
