import { MaestroError } from "../errors.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Caller, Clock, Method, Target } from "./doors.ts";
import { findMethods, type FoundMethods, type KeptSchemas } from "./methods.ts";

/** For how long methods that were found are taken to be unchanged, in milliseconds: as schema files are. */
const FRESH = 1_000;

/** The methods of a workflow's last run. */
interface Found {
  readonly methods: Map<string, Method>;
  readonly targets: ReadonlyMap<string, Target>;
  readonly at: number;
}

/** Finds the methods that workflows call; those of the run before serve the next for a while. */
export class WorkflowMethods {
  readonly #caller: Caller;
  readonly #clock: Clock;
  readonly #found = new WeakMap<Workflow, Found>();
  readonly #foundKept = new WeakMap<KeptSchemas, WeakMap<Workflow, Found>>();

  constructor(caller: Caller, clock: Clock) {
    this.#caller = caller;
    this.#clock = clock;
  }

  /**
   * A workflow's methods by their key; those of services that can't be reached now are left out.
   *
   * @param kept the schemas that a run began with, by service: other schemas are not looked into
   * @throws {MaestroError} `WORKFLOW_INVALID`, where a method is missing or ambiguous
   */
  of(
    workflow: Workflow,
    targets: ReadonlyMap<string, Target>,
    kept?: KeptSchemas,
  ): Map<string, Method> | Promise<Map<string, Method>> {
    const at = this.#clock.now();
    const known = (kept === undefined ? this.#found : this.#foundIn(kept)).get(workflow);
    return known !== undefined && isFresh(known, at, targets)
      ? known.methods
      : this.#find(workflow, targets, at, kept);
  }

  /** What was found in the schemas that runs began with: many that wake up began with the same. */
  #foundIn(kept: KeptSchemas): WeakMap<Workflow, Found> {
    let found = this.#foundKept.get(kept);
    if (found === undefined) this.#foundKept.set(kept, found = new WeakMap());
    return found;
  }

  async #find(
    workflow: Workflow,
    targets: ReadonlyMap<string, Target>,
    at: number,
    kept?: KeptSchemas,
  ): Promise<Map<string, Method>> {
    const { methods, complete } = await this.#search(workflow, targets, kept);
    const found = kept === undefined ? this.#found : this.#foundIn(kept);
    if (complete) found.set(workflow, { methods, targets, at });
    return methods;
  }

  async #search(
    workflow: Workflow,
    targets: ReadonlyMap<string, Target>,
    kept?: KeptSchemas,
  ): Promise<FoundMethods> {
    const found = await findMethods(workflow, targets, this.#caller, kept);
    const { problems } = found;
    if (problems.length === 0) return found;
    const message = problems.map((problem) => problem.message).join("; ");
    throw new MaestroError("WORKFLOW_INVALID", message, { problems });
  }
}

function isFresh(found: Found, now: number, targets: ReadonlyMap<string, Target>): boolean {
  if (Math.abs(now - found.at) >= FRESH) return false;
  for (const [name, target] of targets) if (found.targets.get(name) !== target) return false;
  return true;
}
