import type { Base, Call, Entry, Step, Tree, Undo } from "./tree.ts";
import { randomOf } from "./behaviour.ts";

/** A workflow at random, and the steps in it that must not fail. */
export interface RandomTree {
  readonly tree: Tree;
  readonly risk: number;
  readonly calm: ReadonlySet<string>;
}

/** Where a step is made. */
interface Place {
  /** How many blocks may still be nested. */
  readonly depth: number;
  /** Not in the body of something that forbids `pivot` and `return`. */
  readonly main: boolean;
  readonly returns: boolean;
}

/** Makes a workflow from a seed. */
export function randomTree(seed: number): RandomTree {
  return new Maker(randomOf(seed)).make();
}

class Maker {
  readonly #random: () => number;
  readonly #calm = new Set<string>();
  readonly #risk: number;
  #names = 0;
  #pivots = 0;
  /** A step that fails by design is refused after a pivot. */
  #pastPivot = false;

  constructor(random: () => number) {
    this.#random = random;
    this.#risk = this.#chance(0.2) ? 0 : this.#random() * 0.4;
    this.#pivots = this.#chance(0.25) ? 1 : 0;
  }

  make(): RandomTree {
    const tree = this.#tree("random", this.#below(3) + 1, 0.2, true);
    return { tree, risk: this.#risk, calm: this.#calm };
  }

  #tree(name: string, depth: number, timed: number, main: boolean): Tree {
    return {
      name,
      timeout: this.#chance(timed) ? this.#time(8_000_000_000) : Infinity,
      steps: this.#list({ depth, main, returns: true }),
    };
  }

  #chance(odds: number): boolean {
    return this.#random() < odds;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(...items: readonly T[]): T {
    return items[this.#below(items.length)] as T; // never none
  }

  #time(most: number): number {
    return 1 + this.#below(most);
  }

  #name(letter: string): string {
    return `${letter}${this.#names++}`;
  }

  #list(place: Place): Step[] {
    return Array.from({ length: 1 + this.#below(3) }, () => this.#step(place));
  }

  #step(place: Place): Step {
    const { depth } = place;
    if (depth === 0 || this.#chance(0.4)) return this.#leaf(place);
    const inside = { ...place, depth: depth - 1 };
    const aside = { ...inside, main: false };
    switch (this.#below(7)) {
      case 0:
        return this.#withCatch("g", place, { kind: "steps" as const, steps: this.#list(inside) });
      case 1:
      case 2:
        return this.#parallel({ ...aside, returns: false });
      case 3:
        return this.#foreach({ ...aside, returns: false });
      case 4: {
        const id = this.#name("r");
        const steps = this.#list(aside);
        const enough = 1 + this.#below(3);
        const most = this.#chance(0.85) ? 3 : Math.max(1, enough - 1);
        const every = this.#chance(0.5) ? this.#time(300_000_000) : 0;
        return { ...this.#base(id, place, 0.2), kind: "repeat", steps, enough, most, every };
      }
      case 5: {
        const branches = Array.from({ length: 1 + this.#below(2) }, () => ({
          when: this.#chance(0.5),
          steps: this.#list(inside),
        }));
        const last = this.#chance(0.5) ? [{ when: null, steps: this.#list(inside) }] : [];
        return this.#withCatch("w", place, {
          kind: "switch" as const,
          branches: [...branches, ...last],
        });
      }
      default:
        return this.#child(place);
    }
  }

  #withCatch<F>(letter: string, place: Place, form: F): F & Base {
    return { ...this.#base(this.#name(letter), place, 0.2), ...form };
  }

  #base(id: string, place: Place, timed: number, caught = 0.3): Base {
    const when = this.#chance(0.1) ? this.#chance(0.5) : null;
    const timeout = this.#chance(timed) ? this.#time(4_000_000_000) : Infinity;
    return { id, when, timeout, needs: [], catch: this.#catch(place, caught) };
  }

  #catch({ depth, returns }: Place, odds: number): Entry[] {
    const entries: Entry[] = [];
    while (entries.length < 2 && this.#chance(odds)) {
      entries.push({
        codes: this.#pick<string[]>(
          [],
          [],
          ["INTERNAL", "FAILED_PRECONDITION", "CHILD_FAILED"],
          ["UNAVAILABLE", "STEP_TIMEOUT", "UNKNOWN", "REPEAT_EXHAUSTED", "ABORTED"],
        ),
        outcome: this.#pick(null, null, null, "unknown", "rejected"),
        undo: this.#chance(0.5),
        steps: this.#chance(0.5)
          ? this.#list({ depth: Math.min(1, Math.max(0, depth - 1)), main: false, returns })
          : [],
      });
    }
    return entries;
  }

  #leaf(place: Place): Step {
    const form = this.#random();
    if (form < 0.8) return this.#call(place);
    if (form < 0.85) {
      const base = { id: this.#name("t"), when: null, timeout: Infinity, catch: [], needs: [] };
      const timeout = this.#chance(0.2) ? this.#time(400_000_000) : Infinity;
      return { ...base, kind: "wait", duration: this.#time(400_000_000), timeout };
    }
    if (form < 0.9) {
      const id = this.#name("s");
      return { id, when: null, timeout: Infinity, catch: [], needs: [], kind: "set" };
    }
    return this.#chance(this.#risk) ? this.#instant(place) : this.#call(place);
  }

  /** What fails, or returns, in the moment it starts: never at the same moment as something beside it. */
  #instant(place: Place): Step {
    const before = this.#call({ ...place, main: false }, true);
    const bare = { when: null, timeout: Infinity, needs: [] };
    if (place.returns && this.#chance(0.3)) {
      const last: Step = { ...bare, id: this.#name("x"), catch: [], kind: "return" };
      return { ...bare, id: this.#name("g"), catch: [], kind: "steps", steps: [before, last] };
    }
    const caught = this.#catch(place, 0.3);
    const last: Step = this.#pastPivot || this.#chance(0.3)
      ? { ...this.#call({ ...place, main: false }), misfit: true, when: null }
      : { ...bare, id: this.#name("f"), catch: caught, kind: "fail", code: "ABORTED" };
    return { ...bare, id: this.#name("g"), catch: [], kind: "steps", steps: [before, last] };
  }

  #call(place: Place, calm = false): Call {
    const id = this.#name("c");
    if (calm) this.#calm.add(id);
    const pivot = !calm && place.main && this.#pivots > 0 && this.#chance(0.3);
    if (pivot) {
      this.#pivots--;
      this.#pastPivot = true;
    }
    return {
      ...this.#base(id, { ...place, main: false }, calm ? 0 : 0.12, calm ? 0 : 0.12),
      when: calm || this.#chance(0.93) ? null : this.#chance(0.5),
      kind: "call",
      undo: this.#chance(0.65) ? this.#undo() : null,
      verify: this.#chance(0.25),
      pivot,
      idempotent: this.#chance(0.85),
      attempts: 1 + this.#below(3),
      retryDelay: this.#time(200_000_000),
      attemptTimeout: 500_000_001 + this.#time(500_000_000),
      misfit: false,
    };
  }

  #undo(reading = 0.1): Undo {
    return this.#chance(0.7)
      ? { kind: "call", reads: this.#chance(reading) }
      : { kind: "steps", count: 1 + this.#below(2) };
  }

  #parallel(place: Place): Step {
    const id = this.#name("p");
    const branches: Step[] = [];
    for (let count = 1 + this.#below(4); count > 0; count--) {
      const before = branches[this.#below(branches.length)];
      const needs = before !== undefined && this.#chance(0.25) ? [before.id] : [];
      branches.push({ ...this.#step(place), needs });
    }
    const concurrency = this.#chance(0.3) ? 1 + this.#below(2) : Infinity;
    const finish = this.#chance(0.4);
    return { ...this.#base(id, place, 0.2), kind: "parallel", branches, concurrency, finish };
  }

  #foreach(place: Place): Step {
    const id = this.#name("e");
    const concurrency = 1 + this.#below(3);
    // Rounds that begin in one moment are apart after a call of their own.
    const steps = [this.#call({ ...place, main: false }, true), ...this.#list(place)];
    const finish = this.#chance(0.4);
    const items = this.#below(5);
    return { ...this.#base(id, place, 0.2), kind: "foreach", items, concurrency, finish, steps };
  }

  #child(place: Place): Step {
    const id = this.#name("w");
    const undo = this.#chance(0.3) ? this.#undo(0) : null;
    const tree = this.#tree(`child_${id}`, Math.min(1, place.depth - 1), 0.15, place.main);
    return { ...this.#base(id, place, 0.15), kind: "workflow", tree, undo };
  }
}
