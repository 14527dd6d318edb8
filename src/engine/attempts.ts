import { MaestroError } from "../errors.ts";
import type { Answered, Attempt } from "../machines/board.ts";
import type { AttemptFailure } from "../machines/failure.ts";
import { evaluate, type Names } from "../machines/names.ts";
import { templateRefs } from "../workflow/expression.ts";
import { toText } from "../workflow/value.ts";
import {
  type Answer,
  type Caller,
  type Clock,
  type EncodedRequest,
  type Method,
  type Secrets,
  type Target,
  Unreachable,
} from "./doors.ts";
import { methodKey } from "./methods.ts";

/** What attempts of one run are made with. */
export interface AttemptOptions {
  readonly names: Names;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: Secrets;
  readonly targets: ReadonlyMap<string, Target>;
  readonly methods: Map<string, Method>;
  /** Resolves once everything recorded so far is durable. */
  readonly durable: () => Promise<void>;
}

/** How early a deadline may fire, in milliseconds: timers round. What has run out is to have run out by the clock too. */
const FRACTION = 5;

/** How much longer than its deadline an attempt may take before the caller is held to have forgotten it, in milliseconds. */
const GRACE = 1_000;

/**
 * Makes one attempt: nothing is sent before the facts so far are durable, and whatever goes wrong
 * is an answer. The returned function cancels it; then no answer comes.
 */
export function makeAttempt(
  options: AttemptOptions,
  attempt: Attempt,
  answer: (event: Answered) => void,
): () => void {
  const { clock, random, durable } = options;
  const controller = new AbortController();
  let over = false;
  let stopWaiting = () => {};

  const finish = (result: Answer, began: number, timeout: number, cut: boolean) => {
    if (over) return;
    stopWaiting();
    const at = clock.now();
    const early = began + timeout - at;
    if (cut && isLate(result) && early > 0 && early <= FRACTION) {
      stopWaiting = clock.at(began + timeout, () => finish(result, began, timeout, cut));
      return;
    }
    over = true;
    answer({ type: "answered", result, at, duration: at - began, cut, random: random() });
  };

  const make = async () => {
    try {
      await durable();
    } catch {
      return; // the run is being stopped: nothing is sent, nothing is said
    }
    if (over) return;
    const began = clock.now();
    const left = attempt.deadline === null ? Infinity : attempt.deadline - began;
    const timeout = Math.min(attempt.target.attemptTimeout, left);
    const cut = left < attempt.target.attemptTimeout;
    if (timeout <= 0) {
      return finish(failed("DEADLINE_EXCEEDED", "No time was left for the call"), began, 0, cut);
    }
    stopWaiting = clock.at(began + timeout + GRACE, () => {
      finish(forgotten(attempt), began, timeout, cut);
      controller.abort();
    });
    const result = await call(options, attempt, timeout, controller.signal);
    finish(result, began, timeout, cut);
  };

  void make();
  return () => {
    if (over) return; // it has ended by itself
    over = true;
    stopWaiting();
    controller.abort();
  };
}

async function call(
  options: AttemptOptions,
  attempt: Attempt,
  timeout: number,
  signal: AbortSignal,
): Promise<Answer> {
  let method: Method, request: EncodedRequest, metadata: Readonly<Record<string, string>>;
  try {
    method = options.methods.get(methodKey(attempt.target)) ??
      await findMethod(options, attempt, signal);
    request = (attempt.request ?? method.encode(attempt.input)) as EncodedRequest; // made by `Board.encode`
    metadata = await metadataOf(options, attempt);
    signal.throwIfAborted(); // cancelled meanwhile: it doesn't leave, and nobody hears why
  } catch (thrown) {
    if (thrown instanceof Unreachable) return { ok: false, failure: thrown.failure };
    const { code, message } = MaestroError.from(thrown);
    return failed(code === "EXPRESSION_ERROR" ? code : "INVALID_REQUEST", message);
  }
  try {
    return await method.call(request, {
      metadata,
      timeout,
      maxMessages: attempt.target.maxMessages,
      signal,
    });
  } catch (thrown) { // against its contract; and the call may have left
    const { message } = MaestroError.from(thrown);
    return { ok: false, failure: { code: "UNKNOWN", message, outcome: "unknown" } };
  }
}

/** Asks again for a method whose service could not be reached when the run began. */
async function findMethod(
  { caller, targets, methods }: AttemptOptions,
  { target }: Attempt,
  signal: AbortSignal,
): Promise<Method> {
  const service = targets.get(target.service);
  if (service === undefined) throw new MaestroError("INTERNAL", `No service "${target.service}"`);
  const method = await caller.method(service, target.method, { signal });
  methods.set(methodKey(target), method);
  return method;
}

/** What the service sees besides the request (semantics.md §5). */
async function metadataOf(
  options: AttemptOptions,
  attempt: Attempt,
): Promise<Readonly<Record<string, string>>> {
  const { state } = options.names;
  const { path, op, action, number, revision, target } = attempt;
  const runId = state.started?.runId ?? "";
  const key = `${runId}/${path}/${op}`;
  const own = {
    ...await userMetadata(options, attempt, options.targets.get(target.service)?.service.metadata),
    ...await userMetadata(options, attempt, target.metadata),
  };
  return {
    ...own,
    "idempotency-key": revision === 0 ? key : `${key}#${revision + 1}`,
    ...(op !== "action" && { "maestro-action-key": `${runId}/${action}/action` }),
    "maestro-run-id": runId,
    "maestro-step": path,
    "maestro-op": op,
    "maestro-attempt": String(number),
    "x-correlation-id": state.started?.correlationId ?? "",
    ...(state.started?.traceparent && { traceparent: state.started.traceparent }),
  };
}

const NONE: Readonly<Record<string, string>> = {};

async function userMetadata(
  { names, secrets }: AttemptOptions,
  { scope }: Attempt,
  written: Readonly<Record<string, string>> | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (written === undefined || Object.keys(written).length === 0) return NONE;
  const values: Record<string, string> = {};
  for (const { root, path } of templateRefs(written)) {
    const name = path[0];
    if (root === "secrets" && name !== undefined) values[name] = await readSecret(secrets, name);
  }
  return Object.fromEntries(
    Object.entries(written).map(([key, text]) => [
      key.toLowerCase(),
      toText(evaluate(names, scope, text, { secrets: values })),
    ]),
  );
}

/** A secret's value. @throws {MaestroError} `INPUT_INVALID` where the runner has none of that name */
export async function readSecret(secrets: Secrets, name: string): Promise<string> {
  const value = await secrets.read(name);
  if (value !== undefined) return value;
  throw new MaestroError(
    "INPUT_INVALID",
    `The workflow needs the secret "${name}": set the environment variable ${name}, or name a file for it`,
  );
}

function isLate(result: Answer): boolean {
  return !result.ok && result.failure.code === "DEADLINE_EXCEEDED";
}

function failed(code: string, message: string): Answer {
  const failure: AttemptFailure = { code, message, outcome: "not_sent" };
  return { ok: false, failure };
}

function forgotten({ target }: Attempt): Answer {
  return {
    ok: false,
    failure: {
      code: "DEADLINE_EXCEEDED",
      message: `The call of ${target.method} on "${target.service}" did not end by its deadline`,
      outcome: "unknown",
    },
  };
}
