import { listsOf } from "./calls.ts";
import type { CheckContext } from "./check_context.ts";
import type { Step } from "./model.ts";
import { type Binding, bindingsOf, loopBindings, neededBy } from "./scope.ts";

/** Where a step stands among others. */
interface Seat {
  readonly step: Step;
  /** The step whose list it is in; `null`: the workflow's own. */
  readonly parent: Step | null;
  /** Which of the parent's lists: a branch of a `switch`, an entry of its `catch`, a compensation. */
  readonly list: string;
  readonly index: number;
}

/** What stands in a step, but is no step: before or after those of one of its lists. */
type Part = Omit<Seat, "parent">;

/** Says why a name that is bound somewhere can't be seen. */
export class Explainer {
  readonly #seats = new Map<string, Seat>();
  /** By the keys of `visibility()` that are no step's path. */
  readonly #parts = new Map<string, Part>();
  /** The first that binds each name, and the first of each id. */
  readonly #bound = new Map<string, { readonly step: Step; readonly binding: Binding }>();
  readonly #byId = new Map<string, Step>();

  constructor(readonly context: CheckContext) {
    this.#seat(context.workflow.steps, null, "steps");
    for (const { step } of this.#seats.values()) {
      if (!this.#byId.has(step.id)) this.#byId.set(step.id, step);
      const own = step.kind === "parallel" ? { ...step, branches: [] } : step;
      for (const [name, binding] of bindingsOf(own)) {
        if (!this.#bound.has(name)) this.#bound.set(name, { step, binding });
      }
    }
    for (const { step } of this.#seats.values()) {
      for (const [name, binding] of step.kind === "foreach" ? loopBindings(step) : []) {
        if (!this.#bound.has(name)) this.#bound.set(name, { step, binding });
      }
    }
  }

  /** Every written id. */
  ids(): readonly string[] {
    return [...this.#seats.values()].map(({ step }) => step.id).filter((id) => !id.includes("["));
  }

  /** Why a scope can't see a name; `null`: the name is bound nowhere. */
  name(name: string, scope: string): string | null {
    const found = this.#bound.get(name);
    return found === undefined ? null : this.#why(found.step, found.binding, scope);
  }

  /** Why a scope can't see a step; `null`: there is none of that id. */
  step(id: string, scope: string): string | null {
    const step = this.#byId.get(id);
    return step === undefined ? null : this.#why(step, null, scope);
  }

  #why(bound: Step, binding: Binding | null, scope: string): string {
    const line = binding === null ? bound.place.line : this.context.where.bound(binding).line;
    if (binding?.kind === "item" || binding?.kind === "index") {
      return `it is the ${binding.kind} of ${describe(bound)} at line ${line}, which only its ` +
        'steps and its "result" see';
    }
    const it = binding === null ? `it stands` : `it is bound`;
    const part = this.#parts.get(scope);
    const from = part?.step.path ?? scope.replace(/\/[a-z.]+$/, "");
    if (bound.path === from && part === undefined) {
      return binding?.kind === "field"
        ? 'the names of one "set" do not see each other; make two steps of it'
        : "it is this step's own result, which only later steps and its compensation see";
    }
    const target = this.#chain(bound.path);
    const here = from === "" ? [] : this.#chain(from);
    if (part !== undefined) here.push({ ...part, step: { ...part.step }, parent: part.step });
    const apart = target.findIndex((seat, at) => seat.step !== here[at]?.step);
    const theirs = target[apart];
    const ours = here[apart];
    if (theirs === undefined) {
      return here[target.length]?.list.startsWith("catch")
        ? "it is the result of the step that has failed"
        : "it is the result of the block around, which is there only after it";
    }
    if (ours !== undefined && ours.list === theirs.list) {
      if (ours.parent?.kind === "parallel") {
        return this.#isExported(target.slice(apart))
          ? `${it} at line ${line}, which runs side by side; ${adviseNeeds(ours, theirs)}`
          : `${it} at line ${line}, inside another block`;
      }
      if (theirs.index > ours.index) return `${it} later, at line ${line}`;
    } else if (ours?.parent?.kind === "switch" && theirs.list.startsWith("switch")) {
      return `${it} at line ${line}, in another branch of the switch`;
    }
    return `${it} at line ${line}, ${whereIn(target.slice(apart))}`;
  }

  /** Whether a branch gives away what the last of these seats binds. */
  #isExported([branch, ...inside]: readonly Seat[]): boolean {
    let around = branch?.step;
    let isBranch = true;
    for (const { step } of inside) {
      const gives = around?.kind === "parallel" || (isBranch && around?.kind === "steps");
      if (!gives) return false;
      isBranch = around?.kind === "parallel";
      around = step;
    }
    return true;
  }

  #chain(path: string): Seat[] {
    const seats: Seat[] = [];
    for (let seat = this.#seats.get(path); seat !== undefined;) {
      seats.unshift(seat);
      seat = seat.parent === null ? undefined : this.#seats.get(seat.parent.path);
    }
    return seats;
  }

  #seat(steps: readonly Step[], parent: Step | null, list: string): void {
    steps.forEach((step, index) => {
      const { path } = step;
      this.#seats.set(path, { step, parent, list, index });
      if (step.kind === "switch") {
        step.branches.forEach((branch, at) => this.#seat(branch.steps, step, `switch[${at}]`));
      } else {
        for (const inside of listsOf(step)) this.#seat(inside, step, step.kind);
      }
      for (const end of ["until", "result"]) {
        this.#parts.set(`${path}[]/${end}`, { step, list: step.kind, index: Infinity });
      }
      step.catch.forEach((entry, at) => {
        const name = `catch[${at}]`;
        this.#parts.set(`${path}.${name}`, { step, list: name, index: -1 });
        this.#parts.set(`${path}.${name}/result`, { step, list: name, index: Infinity });
        this.#seat(entry.steps, step, name);
      });
      if ("compensate" in step && step.compensate?.kind === "steps") {
        this.#seat(step.compensate.steps, step, "compensate");
      }
    });
  }
}

/** Where a name is bound that is not seen from outside; the seats begin where the ways part. */
function whereIn(seats: readonly Seat[]): string {
  if (seats.some(({ list }) => list === "compensate")) return "in a compensation";
  const outwards = [...seats].reverse();
  const { list = "", parent } = outwards.find((seat) => seat.list !== "parallel") ?? {};
  if (list.startsWith("catch")) return 'in a "catch", and not seen outside: "result" gives it out';
  const inside = `${describe(parent ?? undefined)}, and not seen outside`;
  return parent?.kind === "foreach" || parent?.kind === "repeat"
    ? `in the rounds of ${inside}: "result" gives it out`
    : `inside ${inside}`;
}

function adviseNeeds({ step, parent }: Seat, theirs: Seat): string {
  const { id } = theirs.step;
  if (id.includes("[")) return "give that one an id and name it in needs";
  const siblings = parent?.kind === "parallel" ? parent.branches : [];
  const byId = new Map(siblings.map((sibling) => [sibling.id, sibling]));
  return neededBy(theirs.step, byId).has(step)
    ? `"${id}" needs this one, so it comes later`
    : `add needs: [${id}]`;
}

function describe(block: Step | undefined): string {
  if (block === undefined) return "another block";
  return block.id.includes("[") ? `a "${block.kind}" block` : `"${block.id}"`;
}
