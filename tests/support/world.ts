/**
 * Services that exist in memory: a Caller that behaves as a test says, and remembers what it was
 * asked, across engines. Like good services they do the work of one key once, and answer as before.
 *
 * @module
 */
import type { Answer, Caller, CallOptions, Clock, Method } from "../../src/engine/doors.ts";
import { Unreachable } from "../../src/engine/doors.ts";
import { MaestroError } from "../../src/errors.ts";
import type { AttemptFailure } from "../../src/machines/failure.ts";
import { outcomeOfCode } from "../../src/machines/outcome.ts";
import { toJson, type Value } from "../../src/workflow/value.ts";

/** One call as a service saw it. */
export interface SeenCall {
  /** `service/Method`. */
  readonly method: string;
  readonly input: unknown;
  readonly key: string;
  readonly attempt: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
}

/** What a service does on a call: answer, fail with a code, or never answer. */
export type Behaviour =
  | { readonly answer: Value; readonly after?: number }
  | ({ readonly fail: string; readonly after?: number } & Partial<AttemptFailure>)
  | { readonly hang: true };

/** How a method behaves: always the same, or by the call; `nth` counts its calls from 1. */
export type Script = Behaviour | ((call: SeenCall, nth: number) => Behaviour);

/** Services in memory. */
export class World {
  /** Every call, in order. */
  readonly calls: SeenCall[] = [];
  /** The work that was done, in order; each key once. */
  readonly effects: string[] = [];
  /** Calls that were cancelled while they were under way. */
  readonly cancelled: string[] = [];
  #counts = new Map<string, number>();
  #answers = new Map<string, Answer>();

  constructor(
    readonly scripts: Readonly<Record<string, Script>>,
    readonly clock: Clock,
  ) {}

  /** The way to these services. */
  caller(): Caller {
    return {
      method: (target, name) => {
        const method = `${target.service.name}/${name}`;
        if (target.endpoint === "unreachable:1") {
          return Promise.reject(
            new Unreachable({ code: "UNAVAILABLE", message: "refused", outcome: "not_sent" }),
          );
        }
        if (!(method in this.scripts)) {
          return Promise.reject(new MaestroError("METHOD_NOT_FOUND", `There is no ${method}`));
        }
        return Promise.resolve(this.#method(method));
      },
      close: () => Promise.resolve(),
    };
  }

  #method(name: string): Method {
    return {
      name,
      idempotency: "unknown",
      types: () => undefined,
      encode(input) {
        const json = toJson(input);
        if (json !== null && typeof json === "object" && "no_such_field" in json) {
          throw new MaestroError("INVALID_REQUEST", `There is no field "no_such_field" in ${name}`);
        }
        return { json, message: json };
      },
      call: (request, options) => this.#call(name, request.json, options),
    };
  }

  #call(method: string, input: unknown, options: CallOptions): Promise<Answer> {
    const { metadata } = options;
    const seen: SeenCall = {
      method,
      input,
      key: metadata["idempotency-key"] ?? "",
      attempt: Number(metadata["maestro-attempt"]),
      metadata,
      at: this.clock.now(),
    };
    this.calls.push(seen);
    const before = this.#answers.get(seen.key);
    if (before !== undefined) return Promise.resolve(before);
    const nth = (this.#counts.get(method) ?? 0) + 1;
    this.#counts.set(method, nth);
    const script = this.scripts[method];
    const behaviour = typeof script === "function" ? script(seen, nth) : script;
    if (behaviour === undefined) throw new Error(`No script for ${method}`);
    return this.#behave(behaviour, seen, options);
  }

  #behave(behaviour: Behaviour, seen: SeenCall, options: CallOptions): Promise<Answer> {
    return new Promise((resolve) => {
      const delay = "hang" in behaviour ? Infinity : behaviour.after ?? 0;
      const inTime = delay < options.timeout;
      const finish = () => {
        options.signal.removeEventListener("abort", abort);
        resolve(inTime ? this.#answer(behaviour, seen) : late());
      };
      const wait = Math.min(delay, options.timeout);
      const takeBack = wait === 0 ? () => {} : this.clock.at(this.clock.now() + wait, finish);
      const abort = () => {
        takeBack();
        this.cancelled.push(seen.key);
        resolve(failure({ code: "CANCELLED", message: "cancelled", outcome: "unknown" }));
      };
      if (wait === 0) finish();
      else options.signal.addEventListener("abort", abort);
    });
  }

  #answer(behaviour: Behaviour, seen: SeenCall): Answer {
    if ("answer" in behaviour) {
      const answer: Answer = { ok: true, output: behaviour.answer };
      this.effects.push(seen.key);
      this.#answers.set(seen.key, answer);
      return answer;
    }
    if ("hang" in behaviour) return late();
    const { fail, after: _, ...more } = behaviour;
    const outcome = outcomeOfCode(fail);
    return failure({
      code: fail,
      message: `${seen.method} failed`,
      outcome: outcome === "completed" ? "unknown" : outcome,
      ...more,
    });
  }
}

function late(): Answer {
  return failure({ code: "DEADLINE_EXCEEDED", message: "no answer", outcome: "unknown" });
}

function failure(failure: AttemptFailure): Answer {
  return { ok: false, failure };
}
