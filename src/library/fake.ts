import { systemClock } from "../engine/clock.ts";
import type { Answer, Caller, CallOptions } from "../engine/doors.ts";
import type { AttemptFailure } from "../machines/failure.ts";
import { outcomeOfCode } from "../machines/outcome.ts";
import type { Json } from "../workflow/json.ts";
import { toJson } from "../workflow/value.ts";

/** One call, as a handler gets it. */
export interface HandledCall {
  /** The service's name in the workflow. */
  readonly service: string;
  /** The method, as the workflow writes it. */
  readonly method: string;
  /** The request, as ProtoJSON. */
  readonly input: Json;
  /** Among others `idempotency-key`, `maestro-step` and `maestro-attempt`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In milliseconds from now. */
  readonly timeout: number;
  /** Ends when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers calls in a service's place. What it throws is answered as `UNKNOWN`. */
export type CallHandler = (call: HandledCall) => Json | CallFailure | Promise<Json | CallFailure>;

/** A call that was answered with a failure. Made by {@linkcode callFailure}. */
export class CallFailure {
  /** Made by `callFailure`. */
  constructor(
    /** What the step's retries and the saga go by. */
    readonly failure: AttemptFailure,
  ) {}
}

/**
 * The answer of a service that refuses, such as `callFailure("NOT_FOUND", "There is no such user")`.
 *
 * @param more the outcome, where the code does not tell it; error details; server pushback
 */
export function callFailure(
  code: string,
  message: string,
  more: Partial<AttemptFailure> = {},
): CallFailure {
  const outcome = outcomeOfCode(code);
  return new CallFailure({
    code,
    message,
    outcome: outcome === "completed" ? "unknown" : outcome,
    ...more,
  });
}

/**
 * A Caller made of one function, for tests and for services that aren't there yet. It knows no
 * schema: any method exists, any input fits.
 *
 * @example A saga, without its services
 * ```ts
 * import { callerOf, callFailure, loadWorkflow, openEngine } from "@maestro/maestro";
 *
 * const calls: string[] = [];
 * const engine = openEngine({
 *   caller: callerOf(({ method }) => {
 *     calls.push(method);
 *     if (method === "Ship") return callFailure("FAILED_PRECONDITION", "No carrier");
 *     return { reservation: { total: "12.00" }, charge: { charge_id: "c1" } };
 *   }),
 * });
 * const workflow = await loadWorkflow("examples/order_saga/workflow.yaml");
 * const run = await engine.start(workflow, {
 *   input: JSON.parse(await Deno.readTextFile("examples/order_saga/input.json")),
 * });
 * console.log((await run.result()).status); // compensated
 * console.log(calls); // Reserve, Charge, Ship, Refund, Release
 * await engine.close();
 * ```
 */
export function callerOf(handler: CallHandler): Caller {
  return {
    method: ({ service }, name) =>
      Promise.resolve({
        name,
        idempotency: "unknown",
        types: () => undefined,
        encode(input) {
          const json = toJson(input);
          return { json, message: json };
        },
        call: ({ json }, options) =>
          answer(handler, { service: service.name, method: name, input: json }, options),
      }),
    close: () => Promise.resolve(),
  };
}

function answer(
  handler: CallHandler,
  call: Pick<HandledCall, "service" | "method" | "input">,
  options: CallOptions,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const { signal, timeout } = options;
  const refuse = (code: string, message: string) => resolve(toAnswer(callFailure(code, message)));
  const abort = () => refuse("CANCELLED", "The call was cancelled");
  signal.addEventListener("abort", abort);
  const stopWaiting = systemClock.at(
    systemClock.now() + timeout,
    () => refuse("DEADLINE_EXCEEDED", "No answer came in time"),
  );
  (async () => await handler({ ...call, ...options }))()
    .then(
      (given) => resolve(toAnswer(given)),
      (thrown) => refuse("UNKNOWN", thrown instanceof Error ? thrown.message : String(thrown)),
    );
  return promise.finally(() => {
    stopWaiting();
    signal.removeEventListener("abort", abort);
  });
}

function toAnswer(given: Json | CallFailure): Answer {
  return given instanceof CallFailure
    ? { ok: false, failure: given.failure }
    : { ok: true, output: given };
}
