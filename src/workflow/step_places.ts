import type { Place } from "./model.ts";
import type { Binding } from "./scope.ts";
import type { Path, Places } from "./source.ts";

/** Where steps and their parts stand in the file. */
export class StepPlaces {
  /** @param at where each step stands in the file's data, by its path in the tree */
  constructor(readonly places: Places, readonly at: ReadonlyMap<string, Path>) {}

  /** Where the value of a part of a step stands. */
  value(step: string, ...part: PropertyKey[]): Place {
    return this.places.value(this.#path(step, part));
  }

  /** Where the key of a part of a step stands. */
  key(step: string, ...part: PropertyKey[]): Place {
    return this.places.key(this.#path(step, part));
  }

  /** What is written there. */
  get(step: string, ...part: PropertyKey[]): unknown {
    return this.places.get(this.#path(step, part));
  }

  /** Where a name is bound. */
  bound(binding: Binding): Place {
    const { kind, path } = binding;
    if (kind === "field") return this.key(path, "set", binding.field);
    const [key, otherwise] = kind === "item" || kind === "index"
      ? ["as", "foreach"]
      : ["output", "id"];
    return this.value(path, this.get(path, key) === undefined ? otherwise : key);
  }

  #path(step: string, part: readonly PropertyKey[]): Path {
    return [...(this.at.get(step) ?? []), ...part];
  }
}
