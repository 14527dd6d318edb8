import { MaestroError } from "../errors.ts";
import type { Answered, Attempt } from "../machines/board.ts";
import type { AttemptFailure } from "../machines/failure.ts";
import { evaluate, type Names } from "../machines/names.ts";
import { templateRefs } from "../workflow/expression.ts";
import { toText } from "../workflow/value.ts";
import {
  type Answer,
  type Caller,
  type CallOptions,
  type Clock,
  type EncodedRequest,
  type KeptText,
  type Method,
  type Secrets,
  type Target,
  type TracedCall,
  Unreachable,
} from "./doors.ts";
import { methodKey } from "./methods.ts";
import type { Watchdog, Watched } from "./watchdog.ts";

/** What attempts of one run are made with. */
export interface AttemptOptions {
  readonly names: Names;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: Secrets;
  /** Gives the trace context of a call; left out: the run's own. */
  readonly traceparent?: ((call: TracedCall) => string) | undefined;
  readonly targets: ReadonlyMap<string, Target>;
  readonly methods: Map<string, Method>;
  /** The schemas that the run goes by, by service; one that is found only now is added. */
  readonly kept?: Map<string, KeptText>;
  /** Hears, once for each service, of a schema that is found only now; the call waits for what it returns. */
  readonly onSchema?: (service: string, schema: KeptText) => void | Promise<void>;
  /** Hears how each call ended that was made, and how long it took, in milliseconds. */
  readonly onCalled?: (service: string, code: string, duration: number) => void;
  /** Looks after callers that forget to answer. */
  readonly watchdog: Watchdog;
  /** Calls back once everything recorded so far is durable, and the run is ours to go on with; never, where it can't be. */
  readonly whenMaySend: (callback: () => void) => void;
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
  const attempting = new Attempting(options, attempt, answer);
  options.whenMaySend(() => attempting.make());
  return () => attempting.cancel();
}

/** One attempt under way. */
class Attempting implements Watched {
  readonly #options: AttemptOptions;
  readonly #attempt: Attempt;
  readonly #answer: (event: Answered) => void;
  readonly #controller = new AbortController();
  #began = 0;
  #timeout = 0;
  #over = false;
  place = -1;
  #stopWaiting = () => {};

  constructor(
    options: AttemptOptions,
    attempt: Attempt,
    answer: (event: Answered) => void,
  ) {
    this.#options = options;
    this.#attempt = attempt;
    this.#answer = answer;
  }

  /** When the caller is held to have forgotten it. */
  get dueAt(): number {
    return this.#began + this.#timeout + GRACE;
  }

  overdue(): void {
    this.#finish(forgotten(this.#attempt));
    this.#controller.abort();
  }

  make(): void {
    if (this.#over) return;
    const { clock, watchdog } = this.#options;
    const { deadline, target } = this.#attempt;
    this.#began = clock.now();
    const left = deadline === null ? Infinity : deadline - this.#began;
    this.#timeout = Math.max(0, Math.min(target.attemptTimeout, left));
    if (this.#timeout === 0) {
      return this.#finish(failed("DEADLINE_EXCEEDED", "No time was left for the call"));
    }
    watchdog.watch(this);
    call(this.#options, this.#attempt, this.#timeout, this.#controller.signal)
      .then((result) => this.#finish(result));
  }

  cancel(): void {
    if (this.#over) return; // it has ended by itself
    this.#end();
    this.#controller.abort();
  }

  #finish(result: Answer): void {
    if (this.#over) return;
    const { clock, random, onCalled } = this.#options;
    const at = clock.now();
    const until = this.#began + this.#timeout;
    const cut = this.#timeout < this.#attempt.target.attemptTimeout;
    this.#stopWaiting();
    if (cut && isLate(result) && at < until && until - at <= FRACTION) {
      this.#stopWaiting = clock.at(until, () => this.#finish(result));
      return;
    }
    this.#end();
    const duration = at - this.#began;
    if (this.#timeout > 0) {
      onCalled?.(this.#attempt.target.service, result.ok ? "OK" : result.failure.code, duration);
    }
    this.#answer({ type: "answered", result, at, duration, cut, random: random() });
  }

  #end(): void {
    this.#over = true;
    this.#stopWaiting();
    this.#options.watchdog.release(this);
  }
}

/** Never rejects. */
function call(
  options: AttemptOptions,
  attempt: Attempt,
  timeout: number,
  signal: AbortSignal,
): Promise<Answer> {
  const method = options.methods.get(methodKey(attempt.target));
  try {
    const metadata = metadataOf(options, attempt);
    if (method === undefined || metadata instanceof Promise) {
      return callLater(options, attempt, timeout, signal, method, metadata);
    }
    return send(attempt, method, { metadata, timeout, signal });
  } catch (thrown) {
    return Promise.resolve(notMade(thrown));
  }
}

/** A call whose secrets have to be read first, or whose service could not be asked for its methods before. */
async function callLater(
  options: AttemptOptions,
  attempt: Attempt,
  timeout: number,
  signal: AbortSignal,
  known: Method | undefined,
  metadata: Metadata | Promise<Metadata>,
): Promise<Answer> {
  const { clock } = options;
  const until = clock.now() + timeout;
  const late = Promise.withResolvers<never>();
  const giveUp = new AbortController();
  const stopWaiting = clock.at(until, () => {
    late.reject(noTime(attempt));
    giveUp.abort();
  });
  try {
    const asked = AbortSignal.any([signal, giveUp.signal]);
    // At the same time, so that neither fails unheard while the other is waited for.
    const [method, made] = await Promise.race([
      late.promise,
      Promise.all([known ?? findMethod(options, attempt, asked), metadata]),
    ]).finally(stopWaiting);
    // What was asked for took its time: the run may be another's by now.
    await new Promise<void>((mayBeSent) => options.whenMaySend(mayBeSent));
    signal.throwIfAborted(); // cancelled meanwhile: it doesn't leave, and nobody hears why
    const left = until - clock.now();
    if (left <= 0) throw noTime(attempt);
    return await send(attempt, method, { metadata: made, timeout: left, signal });
  } catch (thrown) {
    return notMade(thrown);
  }
}

/** The deadline came before there was anything to send. */
function noTime({ target }: Attempt): Unreachable {
  const message = `The call of ${target.method} on "${target.service}" was not made by its ` +
    "deadline: its schema, or a secret, was not at hand";
  return new Unreachable({ code: "DEADLINE_EXCEEDED", message, outcome: "not_sent" });
}

/** Sends a request. @throws {MaestroError} `INVALID_REQUEST`, before anything is sent */
function send(
  { request, input, target }: Attempt,
  method: Method,
  options: Omit<CallOptions, "maxMessages">,
): Promise<Answer> {
  const encoded = (request ?? method.encode(input)) as EncodedRequest; // made by `Board.encode`
  return method.call(encoded, { ...options, maxMessages: target.maxMessages })
    .catch((thrown: unknown): Answer => { // against its contract; and the call may have left
      const { message } = MaestroError.from(thrown);
      return { ok: false, failure: { code: "UNKNOWN", message, outcome: "unknown" } };
    });
}

/** The answer of what could not be sent. */
function notMade(thrown: unknown): Answer {
  if (thrown instanceof Unreachable) return { ok: false, failure: thrown.failure };
  const { code, message } = MaestroError.from(thrown);
  if (code === "INPUT_INVALID") { // a secret that is being rotated may be there at the next attempt
    return {
      ok: false,
      failure: { code: "UNAVAILABLE", message, outcome: "not_sent", local: true },
    };
  }
  return failed(code === "EXPRESSION_ERROR" ? code : "INVALID_REQUEST", message);
}

/**
 * Asks again for a method whose service could not be reached when the run began. All methods of a
 * service come from one schema: a run that is taken up again knows no other.
 */
async function findMethod(
  options: AttemptOptions,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Method> {
  const { caller, targets, methods, kept, onSchema } = options;
  const { service, method: name } = attempt.target;
  const target = targets.get(service);
  if (target === undefined) throw new MaestroError("INTERNAL", `No service "${service}"`);
  const known = kept?.get(service);
  const method = await caller.method(target, name, { signal, ...(known && { schema: known }) });
  const { schema } = method;
  if (known === undefined && schema !== undefined) {
    // Another call has found one meanwhile, which need not be the same.
    if (kept?.has(service)) return findMethod(options, attempt, signal);
    kept?.set(service, schema);
    await onSchema?.(service, schema);
  }
  methods.set(methodKey(attempt.target), method);
  return method;
}

type Metadata = Readonly<Record<string, string>>;

/** What the service sees besides the request (semantics.md §5); a promise only where secrets have to be read. */
function metadataOf(options: AttemptOptions, attempt: Attempt): Metadata | Promise<Metadata> {
  const { metadata } = attempt.target;
  const shared = options.targets.get(attempt.target.service)?.service.metadata ?? NONE;
  const names = [...secretsIn(shared), ...secretsIn(metadata)];
  if (names.length === 0) return allMetadata(options, attempt, shared, {});
  return Promise.all(
    names.map(async (name) => [name, await readSecret(options.secrets, name)] as const),
  ).then((secrets) => allMetadata(options, attempt, shared, Object.fromEntries(secrets)));
}

function allMetadata(
  options: AttemptOptions,
  attempt: Attempt,
  shared: Metadata,
  secrets: Readonly<Record<string, string>>,
): Metadata {
  const { names } = options;
  const { started } = names.state;
  const { path, op, action, number, revision, target } = attempt;
  const runId = started?.runId ?? "";
  const key = `${runId}/${path}/${op}`;
  const all: Record<string, string> = {};
  for (const written of [shared, target.metadata]) {
    for (const name in written) {
      all[name] = toText(evaluate(names, attempt.scope, written[name] ?? "", { secrets }));
    }
  }
  all["idempotency-key"] = revision === 0 ? key : `${key}#${revision + 1}`;
  if (op !== "action") all["maestro-action-key"] = `${runId}/${action}/action`;
  all["maestro-run-id"] = runId;
  all["maestro-step"] = path;
  all["maestro-op"] = op;
  all["maestro-attempt"] = String(number);
  all["x-correlation-id"] = started?.correlationId ?? "";
  if (started?.traceparent) {
    const { traceparent } = started;
    all["traceparent"] = options.traceparent?.(tracedCall(options, attempt, traceparent)) ??
      traceparent;
  }
  return all;
}

function tracedCall(
  { names, targets, methods }: AttemptOptions,
  { path, op, number, target }: Attempt,
  traceparent: string,
): TracedCall {
  const { service, method: written } = target;
  const { endpoint = "", shown = endpoint } = targets.get(service) ?? {};
  return {
    runId: names.state.started?.runId ?? "",
    workflow: names.workflow,
    traceparent,
    path,
    op,
    attempt: number,
    service,
    written,
    method: methods.get(methodKey(target))?.name ?? written,
    endpoint: shown,
  };
}

const NONE: Metadata = {};
const secretNames = new WeakMap<Metadata, readonly string[]>();

/** The secrets that metadata is made of, found once. */
export function secretsIn(written: Metadata): readonly string[] {
  let names = secretNames.get(written);
  if (names === undefined) {
    const refs = templateRefs(written).filter(({ root }) => root === "secrets");
    names = [...new Set(refs.flatMap(({ path }) => path[0] ?? []))];
    secretNames.set(written, names);
  }
  return names;
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
