/**
 * CEL's macros over lists and maps, compiled.
 *
 * @module
 */
import { Fault } from "./fault.ts";
import type { Frame, Run } from "./frame.ts";
import { type Item, settle } from "./item.ts";
import { asBool } from "./operators.ts";
import { iterated } from "./select.ts";

/** What all loops are made from. */
export interface Loop {
  readonly range: Run;
  /** Which loop variable holds the item. */
  readonly slot: number;
  /** What one round costs. */
  readonly weight: number;
  /** What is looped over, as messages name it. */
  readonly where: string;
}

/** Goes over the items until `visit` gives `false`. */
function each({ range, slot, weight, where }: Loop, frame: Frame, visit: () => boolean): void {
  const items = iterated(range(frame), where);
  for (const item of items) {
    frame.budget.spend(weight);
    frame.loops[slot] = settle(item);
    if (!visit()) return;
  }
}

/** `exists` (`by` is `true`) and `all` (`false`): one item decides, even where others have no value. */
export function quantified(loop: Loop, by: boolean, test: Run): Run {
  const name = by ? "exists()" : "all()";
  return (frame) => {
    let decided = false;
    let fault: Fault | undefined;
    each(loop, frame, () => {
      try {
        decided = asBool(test(frame), name) === by;
      } catch (thrown) {
        if (!(thrown instanceof Fault) || thrown.kind === "runaway") throw thrown;
        fault ??= thrown;
      }
      return !decided;
    });
    if (decided) return by;
    if (fault !== undefined) throw fault;
    return !by;
  };
}

/** `exists_one`: exactly one item passes. */
export function existsOne(loop: Loop, test: Run): Run {
  return (frame) => {
    let count = 0;
    each(loop, frame, () => {
      if (asBool(test(frame), "exists_one()")) count++;
      return true;
    });
    return count === 1;
  };
}

/** `map` and `filter`: what `make` gives for each item that passes. */
export function collected(loop: Loop, test: Run | undefined, make: Run): Run {
  return (frame) => {
    const made: Item[] = [];
    each(loop, frame, () => {
      if (test === undefined || asBool(test(frame), "the condition")) made.push(make(frame));
      return true;
    });
    return made;
  };
}
