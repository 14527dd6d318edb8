/**
 * The only ways out of the engine. Everything that touches the world stands behind one of these,
 * so that a test, or another host, can put its own in place.
 *
 * @module
 */
/**
 * Documented by its package: for npm's types `deno doc --lint` would have us export all of them.
 *
 * @internal
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { ErrorCode } from "../errors.ts";
import type { AttemptFailure } from "../machines/failure.ts";
import type { Op } from "../machines/facts.ts";
import type { Json } from "../workflow/json.ts";
import type { Service, Workflow } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";
import type { RunStatus } from "./report.ts";

/** A service as one run reaches it: the endpoint's and TLS's expressions are evaluated. */
export interface Target {
  /** Its settings: in `tls` expressions are evaluated, in its own `endpoint` they are not. */
  readonly service: Service;
  /** Where it is reached: `host:port`, `dns:///…`, `ipv4:…` or `unix:…`. */
  readonly endpoint: string;
  /**
   * The endpoint as messages, logs and the journal may have it: without the secrets that it is made of.
   *
   * @default the endpoint
   */
  readonly shown?: string;
  /** Equal for services with the same endpoint and the same settings: they share pool and breaker. */
  readonly key: string;
  /**
   * Makes what is sent with questions about the service itself, its schema and its health: those of
   * its own `metadata` that don't depend on a run. To be asked for each time: secrets rotate.
   *
   * @default nothing is sent
   */
  readonly metadata?: () => Promise<Readonly<Record<string, string>>>;
}

/** The way to the services. */
export interface Caller {
  /**
   * Finds a method of a service, loading the service's schema where it isn't at hand.
   *
   * @param options.schema is looked in instead of what the service's source says by now, and the
   * source is not asked: a run goes on with the schema that it began with
   * @throws {MaestroError} `METHOD_NOT_FOUND` or `SCHEMA_UNAVAILABLE`: trying again won't help;
   * {@linkcode Unreachable} where the service did not answer.
   */
  method(
    target: Target,
    name: string,
    options?: { signal?: AbortSignal; schema?: KeptText },
  ): Promise<Method>;
  /**
   * Watches a service's health by `grpc.health.v1.Health/Watch`, resuming a broken watch with
   * backoff; a server without it counts as healthy. Without this door, health is not watched.
   *
   * @param name what is asked for; `""`: the server as a whole
   * @param hear is told whenever the answer changes, the first answer included
   * @returns ends the watch
   */
  watchHealth?(target: Target, name: string, hear: (serving: boolean) => void): () => void;
  /**
   * The message types of a schema that a journal kept, by which its runs can be looked at; asks no
   * service.
   *
   * @default messages of stored runs can't be read
   * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where the text is not what was kept
   */
  types?(schema: KeptText): Promise<TypeLookup>;
  /** Ends every connection, once the calls in flight have ended. */
  close(): Promise<void>;
}

/** Thrown by {@linkcode Caller.method} where the service could not be asked for its schema. */
export class Unreachable extends Error {
  /** Tells it apart where `instanceof` can't. */
  override readonly name = "Unreachable";

  /** Made by a {@linkcode Caller}. */
  constructor(
    /** What the attempt is answered with. */
    readonly failure: AttemptFailure,
    options?: ErrorOptions,
  ) {
    super(failure.message, options);
  }
}

/** One method of a service, ready to be called. */
export interface Method {
  /** `acme.payments.v1.Payments/Charge`. */
  readonly name: string;
  /** What the schema says about repeating it. */
  readonly idempotency: "unknown" | "no_side_effects" | "idempotent";
  /**
   * Plain data as a request; a list of them where the method takes a stream.
   *
   * @throws {MaestroError} `INVALID_REQUEST`, naming the field's path.
   */
  encode(input: Value): EncodedRequest;
  /** One attempt. Never throws: what goes wrong is an answer. */
  call(request: EncodedRequest, options: CallOptions): Promise<Answer>;
  /** The message types by which this service's values are read back from a journal. */
  readonly types: TypeLookup;
  /**
   * The schema it was found in, as a journal keeps it for {@linkcode Caller.method}.
   *
   * @default there is none to be kept
   */
  readonly schema?: KeptText;
}

/** Finds a message type, a `DescMessage` of `npm:@bufbuild/protobuf`, by its full name. */
export type TypeLookup = (typeName: string) => DescMessage | undefined;

/** What {@linkcode Method.encode} gave; only the same method can read it. */
export interface EncodedRequest {
  /** The request as ProtoJSON, for people and the journal. */
  readonly json: Json;
  /** The request in the form that the method sends; nobody else looks inside. */
  readonly message: unknown;
}

/** How one attempt is made. */
export interface CallOptions {
  /** Keys in lower case; values of `-bin` keys are base64. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In milliseconds from now. */
  readonly timeout: number;
  /** The most messages that a stream may answer with. */
  readonly maxMessages: number;
  /** Ends the attempt, also at the server. */
  readonly signal: AbortSignal;
}

/** A call that is about to leave, for those who trace it. */
export interface TracedCall {
  /** Its run. */
  readonly runId: string;
  /** The run's workflow. */
  readonly workflow: Workflow;
  /** The trace context that the run was started with. */
  readonly traceparent: string;
  /** Its step. */
  readonly path: string;
  /** What it is for. */
  readonly op: Op;
  /** 1, 2, 3, … */
  readonly attempt: number;
  /** The service's name in the workflow. */
  readonly service: string;
  /** The method as the workflow has it. */
  readonly written: string;
  /** The method's whole name, `acme.v1.Payments/Charge`; as written where it isn't known yet. */
  readonly method: string;
  /** Where the service is reached, without secrets. */
  readonly endpoint: string;
}

/** What one attempt came to. */
export type Answer =
  | { readonly ok: true; readonly output: Value }
  | { readonly ok: false; readonly failure: AttemptFailure };

/** Where secrets come from. Read for every attempt, so that they can rotate. */
export interface Secrets {
  /** The secret's value; `undefined` where the runner has none of that name. */
  read(name: string): Promise<string | undefined>;
}

/** Time. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once `now()` has reached `dueAt`; the returned function takes that back. */
  at(dueAt: number, callback: () => void): () => void;
}

/** The right to write a run's facts. A newer claim on the same run ends it. */
export interface Claim {
  /** The run whose facts may be written. */
  readonly runId: string;
  /** The engine that holds it, by its {@linkcode EngineOptions.owner}. */
  readonly owner: string;
  /** Goes up with every claim on the run. */
  readonly token: number;
}

/** A fact as a journal keeps it: JSON, its values tagged where JSON can't carry them. */
export type StoredFact = {
  readonly v: number;
  readonly seq: number;
  readonly at: number;
  readonly kind: string;
  readonly [key: string]: Json;
};

/** A text that is kept once, however many runs need it: a definition, a service's schema. */
export interface KeptText {
  /** SHA-256 of the text, or of what it says, in hex. */
  readonly digest: string;
  /** What only who made it need understand. */
  readonly text: string;
}

/** A run that is to have a place in a journal. */
export interface NewRun {
  /** Unique in the journal; that of a child run is its parent's, `/`, and the path of its step. */
  readonly runId: string;
  /** The workflow's name. */
  readonly workflow: string;
  /** The workflow's version. */
  readonly version: string | null;
  /** What services see as `x-correlation-id`. */
  readonly correlationId: string;
  /** What its facts name by digest: kept for as long as the run is. */
  readonly texts: readonly KeptText[];
}

/** Where a run stands after some facts, for those who look for runs. */
export interface Standing {
  /** In one word. */
  readonly status: RunStatus;
  /** In milliseconds since the epoch; `null` until it has ended. */
  readonly endedAt: number | null;
  /**
   * Where it only waits: when it goes on, in milliseconds since the epoch; `null`: when a signal or
   * an operator's word comes. `undefined`: it does something.
   */
  readonly sleepsUntil: number | null | undefined;
}

/** A run that was left open, and now is ours. */
export interface Adopted {
  /** The right to go on with it. */
  readonly claim: Claim;
  /** See {@linkcode Standing}. */
  readonly status: RunStatus;
  /** See {@linkcode Standing}. */
  readonly sleepsUntil: number | null | undefined;
}

/** Something that somebody wants of a run, on its way to the run's owner. */
export interface Posted {
  /** Unique in the journal. */
  readonly number: number;
  /** Whose it is. */
  readonly runId: string;
  /** What is wanted. */
  readonly command: Json;
}

/** What became of a {@linkcode Posted} command: it was done, or why it could not be. */
export type CommandAnswer = { readonly code: ErrorCode; readonly message: string } | "done";

/** Which runs are looked for. */
export interface RunQuery {
  /** Those that stand so. @default all */
  readonly status?: RunStatus;
  /** Those of this workflow. @default all */
  readonly workflow?: string;
  /** Those that started at or after this moment, in milliseconds since the epoch. @default all */
  readonly since?: number;
  /** Those that started before this moment, in milliseconds since the epoch. @default all */
  readonly until?: number;
  /** Those with this text in their id or correlation id. @default all */
  readonly text?: string;
  /** At most this many. @default 100 */
  readonly limit?: number;
  /** Those that come after this one: the last of the page before. */
  readonly after?: string;
}

/** A run in a list. */
export interface RunSummary {
  /** Its id. */
  readonly runId: string;
  /** Its workflow's name. */
  readonly workflow: string;
  /** Its workflow's version. */
  readonly version: string | null;
  /** What services see as `x-correlation-id`. */
  readonly correlationId: string;
  /** Where it stands; `needs_attention` also where only a child run does. */
  readonly status: RunStatus;
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
  /** In milliseconds since the epoch; `null` until it has ended. */
  readonly endedAt: number | null;
  /** When it goes on by itself, where it only waits; see {@linkcode Standing}. */
  readonly sleepsUntil: number | null | undefined;
  /** A live process goes on with it. */
  readonly owned: boolean;
}

/** The facts of one run that came in one moment. */
export interface Moment {
  /** Goes up from moment to moment, over all runs and processes; never used twice. */
  readonly number: number;
  /** Whose they are. */
  readonly runId: string;
  /** In order; none where what is stored of them is damaged, as {@linkcode Journal.read} of that run says. */
  readonly facts: readonly StoredFact[];
}

/** How much room a journal takes. */
export interface JournalSize {
  /** In all. */
  readonly bytes: number;
  /** What is empty since something was dropped, and would be given back by compacting. */
  readonly free: number;
}

/**
 * Where facts are kept. Anything thrown that is no {@linkcode MaestroError} of the codes below
 * counts as a store that can't be read or written, and stops all sending.
 */
export interface Journal {
  /** Makes place for a new run; that is durable with its first facts. @throws {MaestroError} `RUN_EXISTS` */
  create(run: NewRun, owner: string): Promise<Claim>;
  /**
   * Takes a run over, unless a live process has it; earlier claims are lost.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND`; `RUN_OWNED`
   */
  claim(runId: string, owner: string): Promise<Claim>;
  /**
   * Takes over every run that has not ended and that no live process has, oldest first. Child runs
   * come with their parents' and are not told.
   */
  adopt(owner: string): AsyncIterable<Adopted>;
  /** Whether a claim's lease has not run out by now; where it has, an append tells whether it was lost. */
  holds(claim: Claim): boolean;
  /**
   * Adds facts, all or none; resolves once they would survive a power cut.
   *
   * @param standing where the run stands with them; left out: where it stood before
   * @throws {MaestroError} `CLAIM_LOST`
   */
  append(claim: Claim, facts: readonly StoredFact[], standing?: Standing): Promise<void>;
  /** A run's facts in order, those after a number. @throws {MaestroError} `RUN_NOT_FOUND` */
  read(runId: string, after?: number): AsyncIterable<StoredFact>;
  /** Keeps one more text for a run. @throws {MaestroError} `CLAIM_LOST` */
  keep(claim: Claim, text: KeptText): Promise<void>;
  /** What was kept; `undefined` where nothing was. */
  kept(digest: string): Promise<string | undefined>;
  /** Puts a command into a run's inbox. @returns its number @throws {MaestroError} `RUN_NOT_FOUND` */
  post(runId: string, command: Json): Promise<number>;
  /**
   * Hears of the commands for runs that this journal has claimed, soon after they come; of one that it
   * could not see to, again. The returned function ends that.
   */
  listen(hear: (posted: Posted) => Promise<void>): () => void;
  /** Says what became of a command; there is no more to be heard of it. */
  answer(number: number, answer: CommandAnswer): Promise<void>;
  /** What became of a command; `undefined`: nothing yet. Once it is told it is forgotten. */
  answerTo(number: number): Promise<CommandAnswer | undefined>;
  /** The runs that fit, the newest first, without child runs. */
  list(query: RunQuery): Promise<readonly RunSummary[]>;
  /** One run, also a child run. @throws {MaestroError} `RUN_NOT_FOUND` */
  find(runId: string): Promise<RunSummary>;
  /** How many runs stand how, without child runs; left out is what none does. */
  counts(): Promise<Readonly<Partial<Record<RunStatus, number>>>>;
  /** What became durable after a moment, of all runs, in that order; at most so many. */
  moments(after: number, limit: number): Promise<readonly Moment[]>;
  /** The number of the newest moment; 0 where there is none. */
  newest(): Promise<number>;
  /**
   * Drops runs that ended before a moment, with their child runs; never one of which a run is open.
   *
   * @param most so many roots, those that ended first. Default: all
   * @returns how many roots
   */
  prune(endedBefore: number, most?: number): Promise<number>;
  /** How much room it takes; `null`: none that lasts. */
  size(): Promise<JournalSize | null>;
  /** Lets go of what it holds: others may take its runs over at once. */
  close(): Promise<void>;
}
