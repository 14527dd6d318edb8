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
import type { AttemptFailure } from "../machines/failure.ts";
import type { Json } from "../workflow/json.ts";
import type { Service } from "../workflow/model.ts";
import type { Value } from "../workflow/value.ts";

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

/** A text with its name, as {@linkcode Journal.keep} takes it. */
export interface KeptText {
  /** SHA-256 of the text, in hex. */
  readonly digest: string;
  /** What only who made it need understand. */
  readonly text: string;
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

/**
 * Where facts are kept. Anything thrown that is no {@linkcode MaestroError} of the codes below
 * counts as a store that can't be read or written, and stops all sending.
 */
export interface Journal {
  /** Makes place for a new run. @throws {MaestroError} `RUN_EXISTS` */
  create(runId: string, owner: string): Promise<Claim>;
  /** Takes a run over; earlier claims are lost. @throws {MaestroError} `RUN_NOT_FOUND` */
  claim(runId: string, owner: string): Promise<Claim>;
  /**
   * Adds facts, all or none; resolves once they would survive a power cut.
   *
   * @throws {MaestroError} `CLAIM_LOST`
   */
  append(claim: Claim, facts: readonly StoredFact[]): Promise<void>;
  /** A run's facts in order. @throws {MaestroError} `RUN_NOT_FOUND` */
  read(runId: string): AsyncIterable<StoredFact>;
  /** The ids of the runs that have not ended, oldest first. */
  unfinished(): AsyncIterable<string>;
  /** Keeps a text by its digest, once. */
  keep(digest: string, text: string): Promise<void>;
  /** What was kept; `undefined` where nothing was. */
  kept(digest: string): Promise<string | undefined>;
  /** Lets go of what it holds. */
  close(): Promise<void>;
}
