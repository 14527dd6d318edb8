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
  Compensation,
  Service,
  Step,
  StepBase,
  Template,
} from "./model.ts";
import { didYouMean } from "./nearest.ts";
import { problemAt } from "./problems.ts";
import type { WrittenRetry } from "./schema_service.ts";
import type { Written, WrittenStep, WrittenSteps } from "./schema_step.ts";
import type { Path, Places } from "./source.ts";

/** What a template may use, besides names: see `check_expressions.ts`. */
export type TemplateRole = "value" | "condition" | "metadata" | "service_metadata" | "connection";

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

/** Makes steps, and keeps what the checks want to know of them. */
export class StepBuilder {
  readonly problems: Problem[] = [];
  readonly uses: TemplateUse[] = [];
  /** Where each step stands in the file's data, by its path in the tree. */
  readonly at = new Map<string, Path>();
  readonly used = new Set<string>();

  constructor(readonly places: Places, readonly callees: ReadonlyMap<string, Callee>) {}

  /**
   * @param at where the list stands
   * @param name what an unnamed item is called by its index
   */
  list(steps: WrittenSteps, at: Path, name: (index: number, id: string | null) => string): Step[] {
    return steps.flatMap((step, index) => {
      const id = "id" in step ? step.id ?? null : null;
      const made = this.#step(step, [...at, index], name(index, id), id);
      return made === null ? [] : [made];
    });
  }

  #step(written: WrittenStep, at: Path, path: string, id: string | null): Step | null {
    if (written.form === "broken" || written.form === "later") return null;
    this.at.set(path, at);
    const base: StepBase = {
      id: id ?? path,
      path,
      output: written.output ?? id,
      when: written.when ?? null,
      timeout: written.timeout ?? null,
      needs: written.needs ?? [],
      place: this.places.value(at),
    };
    if (base.when !== null) this.#use(base.when, "condition", path, [...at, "when"]);
    const inside = (key: string) => (index: number, child: string | null) =>
      `${path}.${child ?? `${key}[${index}]`}`;
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
      const prefix = `${path}.switch[${index}]`;
      const name = (child: number, id: string | null) => `${prefix}.${id ?? `steps[${child}]`}`;
      return { when, steps: this.list(steps, [...here, "steps"], name) };
    });
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
      compensate: this.#compensation(written, base.path, [...at, "compensate"]),
    };
  }

  #compensation(written: Written<"call">, path: string, at: Path): Compensation | null {
    const { compensate, service } = written;
    if (compensate === undefined) return null;
    if (compensate.form === "steps") {
      const name = (index: number) => `${path}.compensate[${index}]`;
      return { kind: "steps", steps: this.list(compensate.steps, [...at, "steps"], name) };
    }
    const other = compensate.service ?? service;
    const callee = compensate.service === undefined
      ? this.callees.get(service)
      : this.#callee(other, [...at, "service"]);
    return { kind: "call", ...this.#target(other, callee, compensate, at, `${path}/compensate`) };
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

/** Without the keys that are there and undefined, which would hide what they lie over. */
function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Partial<T>; // the same keys, fewer
}
