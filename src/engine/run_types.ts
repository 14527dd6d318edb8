import type { Fact } from "../machines/facts.ts";
import type { StoredFact, TypeLookup } from "./doors.ts";
import { decodeFact } from "./fact_codec.ts";

/**
 * Finds the types of what a child run gave.
 *
 * @param path of its step
 * @param revisions how often the step may have been tried again, each time with another run
 */
export type ChildTypes = (path: string, revisions: number) => Promise<readonly TypeLookup[]>;

/**
 * The message types by which the facts of one run are read, in order: those of its services, and of its
 * child runs' services, whose messages came with what the child runs gave.
 */
export class RunTypes {
  readonly #types: TypeLookup[];
  readonly #ofChild: ChildTypes;
  readonly #resolved = new Map<string, number>();

  constructor(types: readonly TypeLookup[], ofChild: ChildTypes) {
    this.#types = [...types];
    this.#ofChild = ofChild;
  }

  /** Those of one more service. */
  add(types: TypeLookup): void {
    this.#types.push(types);
  }

  /** The next fact. @throws {MaestroError} `STORE_FAILED` */
  async decode(stored: StoredFact): Promise<Fact> {
    const path = String(stored["path"]);
    const resolved = this.#resolved.get(path) ?? 0;
    if (stored.kind === "attention_resolved") this.#resolved.set(path, resolved + 1);
    let isMissing = false;
    const find: TypeLookup = (name) => {
      const found = this.#find(name);
      isMissing ||= found === undefined;
      return found;
    };
    try {
      return decodeFact(stored, find);
    } catch (thrown) {
      if (!isMissing) throw thrown;
      const found = await this.#ofChild(path, resolved);
      if (found.length === 0) throw thrown;
      this.#types.push(...found);
      return decodeFact(stored, find);
    }
  }

  #find(name: string) {
    for (const types of this.#types) {
      const type = types(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }
}
