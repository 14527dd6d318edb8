/**
 * Steps as written to steps as the model has them.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import { ATTEMPT_TIMEOUT, MAX_MESSAGES, retryRule } from "./defaults.ts";
import type {
  CallStep,
  CallTarget,
  CatchEntry,
  ChildStep,
  Compensation,
  ForeachStep,
  RepeatStep,
  Service,
  Step,
  StepBase,
  Template,
  Verify,
  Workflow,
} from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt } from "./problems.ts";
import type { WrittenRetry } from "./schema_service.ts";
import type { Written, WrittenCompensation, WrittenStep, WrittenSteps } from "./schema_step.ts";
import type { Path, Places } from "./source.ts";

/** What a template may use, besides names: see `check_expressions.ts`. */
export type TemplateRole =
  | "value"
  | "condition"
  | "items"
  | "metadata"
  | "service_metadata"
  | "connection";

/** A template, and where it is used. */
export interface TemplateUse {
  readonly template: Template;
  readonly role: TemplateRole;
  /** The key of `visibility()` by which it sees names; `null`: it sees none. */
  readonly scope: string | null;
  readonly at: Path;
  readonly places: Places;
}

/** What a service is to its steps. */
export interface Callee {
  /** `null` where it could not be made; its problem is told. */
  readonly service: Service | null;
  readonly retry: WrittenRetry | undefined;
}

/** Gives the child workflow that a step names; where there is none, its problems are told. */
export type FindChild = (file: string, at: Path) => Workflow;

type Named = (index: number, id: string | null) => string;

/** Makes steps, and keeps what the checks want to know of them. */
export class StepBuilder {
  readonly problems: Problem[] = [];
  readonly uses: TemplateUse[] = [];
  /** Where each step stands in the file's data, by its path in the tree. */
  readonly at = new Map<string, Path>();
  readonly used = new Set<string>();

  constructor(
    readonly places: Places,
    readonly callees: ReadonlyMap<string, Callee>,
    readonly findChild: FindChild,
  ) {}

  /**
   * @param at where the list stands
   * @param name what an unnamed item is called by its index
   */
  list(steps: WrittenSteps, at: Path, name: Named): Step[] {
    return steps.flatMap((step, index) => {
      const id = "id" in step ? step.id ?? null : null;
      const path = name(index, id);
      // The second of two with one id, which is told of, is not taken for the first.
      const own = this.at.has(path) ? name(index, null) : path;
      const made = this.#step(step, [...at, index], own, id);
      return made === null ? [] : [made];
    });
  }

  #step(written: WrittenStep, at: Path, path: string, id: string | null): Step | null {
    if (written.form === "broken") return null;
    this.at.set(path, at);
    const base: StepBase = {
      id: id ?? path,
      path,
      output: written.output ?? id,
      when: written.when ?? null,
      timeout: written.timeout ?? null,
      needs: written.needs ?? [],
      catch: this.#catch(written.catch ?? [], path, [...at, "catch"]),
      place: this.places.value(at),
    };
    if (base.when !== null) this.#use(base.when, "condition", path, [...at, "when"]);
    const inside = (key: string) => named(path, key);
    switch (written.form) {
      case "call":
        return this.#call(written, base, at);
      case "steps": {
        const steps = this.list(written.steps, [...at, "steps"], inside("steps"));
        return { ...base, kind: "steps", steps };
      }
      case "parallel":
        return {
          ...base,
          kind: "parallel",
          branches: this.list(written.parallel, [...at, "parallel"], inside("parallel")),
          concurrency: written.concurrency ?? null,
          onFailure: written.on_failure ?? "cancel",
        };
      case "switch":
        return { ...base, kind: "switch", branches: this.#branches(written, path, at) };
      case "foreach":
        return this.#foreach(written, base, at);
      case "repeat":
        return this.#repeat(written, base, at);
      case "wait": {
        const { duration, until } = { duration: null, until: null, ...written.wait };
        if (until !== null) this.#use(until, "value", path, [...at, "wait", "until"]);
        return { ...base, kind: "wait", duration, until };
      }
      case "await_signal":
        return { ...base, kind: "await_signal", signal: written.await_signal };
      case "workflow":
        return this.#child(written, base, at);
      case "set":
        for (const [name, value] of Object.entries(written.set)) {
          this.#use(value, "value", path, [...at, "set", name]);
        }
        return { ...base, kind: "set", values: written.set };
      case "fail":
        this.#use(written.fail.message, "value", path, [...at, "fail", "message"]);
        return { ...base, kind: "fail", ...written.fail };
      case "return":
        this.#use(written.return, "value", path, [...at, "return"]);
        return { ...base, kind: "return", value: written.return };
    }
  }

  #branches(written: Written<"switch">, path: string, at: Path) {
    return written.switch.map(({ when = null, steps }, index) => {
      const here = [...at, "switch", index];
      if (when !== null) this.#use(when, "condition", path, [...here, "when"]);
      const name = named(`${path}.switch[${index}]`, "steps");
      return { when, steps: this.list(steps, [...here, "steps"], name) };
    });
  }

  #catch(entries: NonNullable<Written<"call">["catch"]>, path: string, at: Path): CatchEntry[] {
    return entries.map((entry, index) => {
      const { codes = [], reason = null, when = null, undo = false, steps = [] } = entry;
      const here = [...at, index];
      const scope = `${path}.catch[${index}]`;
      if (when !== null) this.#use(when, "condition", scope, [...here, "when"]);
      const result = this.#result(entry.result, `${scope}/result`, here);
      const made = this.list(steps, [...here, "steps"], named(scope, "steps"));
      return { codes, reason, when, undo, steps: made, result, place: this.places.value(here) };
    });
  }

  #foreach(written: Written<"foreach">, base: StepBase, at: Path): ForeachStep {
    const { foreach: items, as = "item", concurrency = 1, on_failure: onFailure } = written;
    const round = `${base.path}[]`;
    const role = typeof items === "string" ? "items" : "value";
    this.#use(items, role, base.path, [...at, "foreach"]);
    return {
      ...base,
      kind: "foreach",
      items,
      as,
      concurrency,
      onFailure: onFailure ?? "cancel",
      steps: this.list(written.steps, [...at, "steps"], named(round, "steps")),
      result: this.#result(written.result, `${round}/result`, at),
    };
  }

  #repeat(written: Written<"repeat">, base: StepBase, at: Path): RepeatStep {
    const { until, every = 0, max_rounds: maxRounds = null } = written;
    const round = `${base.path}[]`;
    this.#use(until, "condition", `${round}/until`, [...at, "until"]);
    return {
      ...base,
      kind: "repeat",
      steps: this.list(written.repeat, [...at, "repeat"], named(round, "steps")),
      until,
      every,
      maxRounds,
      result: this.#result(written.result, `${round}/result`, at),
    };
  }

  #child(written: Written<"workflow">, base: StepBase, at: Path): ChildStep {
    const { input = {}, compensate } = written;
    this.#use(input, "value", base.path, [...at, "input"]);
    const undoing = this.#compensation(compensate, null, base.path, [...at, "compensate"]);
    const workflow = this.findChild(written.workflow, [...at, "workflow"]);
    return { ...base, kind: "workflow", workflow, input, compensate: undoing };
  }

  #result(result: Template | undefined, scope: string, at: Path): Template | null {
    if (result === undefined) return null;
    this.#use(result, "value", scope, [...at, "result"]);
    return result;
  }

  #call(written: Written<"call">, base: StepBase, at: Path): CallStep {
    const { retry, idempotent } = written;
    const callee = this.#callee(written.service, [...at, "service"]);
    const merged = retry === undefined ? callee?.retry : { ...callee?.retry, ...defined(retry) };
    return {
      ...base,
      kind: "call",
      ...this.#target(written.service, callee, written, at, base.path),
      retry: retryRule(merged),
      ownCodes: retry?.codes ?? [],
      idempotent: idempotent ?? true,
      idempotentStated: idempotent !== undefined,
      compensate: this.#compensation(
        written.compensate,
        written.service,
        base.path,
        [...at, "compensate"],
      ),
      verify: this.#verify(written, base.path, [...at, "verify"]),
      pivot: written.pivot ?? false,
    };
  }

  /** @param service the step's own; `null`: it has none, and the schema wants one in `compensate` */
  #compensation(
    written: WrittenCompensation | undefined,
    service: string | null,
    path: string,
    at: Path,
  ): Compensation | null {
    if (written === undefined) return null;
    if (written.form === "steps") {
      const name = (index: number) => `${path}.compensate[${index}]`;
      return { kind: "steps", steps: this.list(written.steps, [...at, "steps"], name) };
    }
    const target = this.#asked(written, service ?? "", `${path}/compensate`, at);
    return { kind: "call", ...target };
  }

  #verify({ verify, service }: Written<"call">, path: string, at: Path): Verify | null {
    if (verify === undefined) return null;
    const scope = `${path}/verify`;
    const result = this.#result(verify.result, `${scope}.result`, at);
    return { ...this.#asked(verify, service, scope, at), result };
  }

  /** A call about a step: of its service, where it names no other. */
  #asked(
    written: Omit<Extract<WrittenCompensation, { form: "call" }>, "form">,
    service: string,
    scope: string,
    at: Path,
  ): CallTarget {
    const callee = written.service === undefined
      ? this.callees.get(service)
      : this.#callee(written.service, [...at, "service"]);
    return this.#target(written.service ?? service, callee, written, at, scope);
  }

  #target(
    service: string,
    callee: Callee | undefined,
    written: Pick<
      Written<"call">,
      "method" | "input" | "metadata" | "attempt_timeout" | "max_messages"
    >,
    at: Path,
    scope: string,
  ): CallTarget {
    const { method, input = {}, metadata = {} } = written;
    this.#use(input, "value", scope, [...at, "input"]);
    this.#use(metadata, "metadata", scope, [...at, "metadata"]);
    return {
      service,
      method,
      input,
      metadata,
      attemptTimeout: written.attempt_timeout ?? callee?.service?.attemptTimeout ?? ATTEMPT_TIMEOUT,
      maxMessages: written.max_messages ?? callee?.service?.maxMessages ?? MAX_MESSAGES,
      methodPlace: this.places.value([...at, "method"]),
    };
  }

  #callee(name: string, at: Path): Callee | undefined {
    this.used.add(name);
    const callee = this.callees.get(name);
    if (callee !== undefined) return callee;
    const known = [...this.callees.keys()];
    const hint = didYouMean(name, known) ||
      (known.length === 0 ? ': there is none under "services"' : `; there is ${known.join(", ")}`);
    const message = `Unknown service "${name}"${hint}`;
    this.problems.push(problemAt(this.places.value(at), "unknown_service", message));
    return undefined;
  }

  #use(template: Template, role: TemplateRole, scope: string, at: Path): void {
    this.uses.push({ template, role, scope, at, places: this.places });
  }
}

/** Steps below a path: by their ids, else by the key of their list. */
function named(prefix: string, key: string): Named {
  return (index, id) => `${prefix}.${id ?? `${key}[${index}]`}`;
}

/** Without the keys that are there and undefined, which would hide what they lie over. */
function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Partial<T>; // the same keys, fewer
}
