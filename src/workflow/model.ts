/**
 * What a workflow is, after parsing: plain, frozen, JSON-safe data. Durations are milliseconds,
 * sizes are bytes, defaults are filled in and merged, so that nothing below has to ask again.
 *
 * @module
 */
import type { Json } from "./json.ts";

/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** JSON whose strings may hold `{{ expressions }}`. */
export type Template = Json;

/** A whole workflow. */
export interface Workflow {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  /** For the forward part of a run, in milliseconds; `null`: none. */
  readonly timeout: number | null;
  /** JSON Schema (2020-12) of the run's input. */
  readonly input: Json | null;
  /** What a run returns; `null`: the last step's output. */
  readonly output: Template | null;
  readonly services: Readonly<Record<string, Service>>;
  readonly saga: SagaRule;
  readonly steps: readonly Step[];
  /** The environment variables that expressions name (`.env.NAME`), sorted. */
  readonly env: readonly string[];
  /** The secrets that expressions name (`.secrets.NAME`), sorted. */
  readonly secrets: readonly string[];
  readonly place: Place;
}

/** Who is called, and how. */
export interface Service {
  readonly name: string;
  /** `host:port`, `dns:///…`, `ipv4:…` or `unix:…`; may hold `.env` and `.secrets` expressions. */
  readonly endpoint: string;
  readonly schema: SchemaSource;
  /** Narrows `method: Charge` to this proto service. */
  readonly protoService: string | null;
  /** `null`: plain text. */
  readonly tls: TlsRule | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** For one call, in milliseconds. */
  readonly attemptTimeout: number;
  readonly retry: RetryRule;
  /** `null`: turned off. */
  readonly breaker: BreakerRule | null;
  readonly loadBalancing: "pick_first" | "round_robin";
  readonly compression: "gzip" | null;
  /** In bytes, both ways. */
  readonly maxMessageSize: number;
  readonly place: Place;
}

/** Where a service's schema comes from. Paths are relative to the working directory, or absolute. */
export type SchemaSource =
  | { readonly kind: "reflection" }
  | {
    readonly kind: "proto";
    readonly files: readonly string[];
    readonly importPaths: readonly string[];
    readonly place: Place;
  }
  | { readonly kind: "descriptor_set"; readonly file: string; readonly place: Place };

/** Files are read again for every new connection; values may hold `.env` and `.secrets` expressions. */
export interface TlsRule {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

/** semantics.md §1. */
export interface RetryRule {
  /** Every call counts, the first included; 1: no retry. */
  readonly attempts: number;
  readonly backoff: "exponential" | "constant";
  readonly initialDelay: number;
  readonly multiplier: number;
  readonly maxDelay: number;
  /** The share of the delay that is random, 0 to 1. */
  readonly jitter: number;
  /** Codes retried besides the table's, for an idempotent call. */
  readonly codes: readonly string[];
}

/** semantics.md §2. Rates are percentages. */
export interface BreakerRule {
  readonly failureRate: number;
  readonly minCalls: number;
  readonly window:
    | { readonly kind: "time"; readonly milliseconds: number }
    | { readonly kind: "count"; readonly calls: number };
  readonly openFor: number;
  readonly maxOpenFor: number;
  readonly halfOpenCalls: number;
  /** A call at least this slow is slow; `null`: none is. */
  readonly slowCall: number | null;
  readonly slowCallRate: number;
  /** Replaces the built-in list where not empty. */
  readonly failureCodes: readonly string[];
  readonly onOpen: "wait" | "fail";
}

/** How compensations are tried again. */
export interface SagaRule {
  readonly retry: Omit<RetryRule, "attempts" | "codes">;
  /** From a compensation's first attempt, in milliseconds, until it is parked; `null`: never. */
  readonly giveUpAfter: number | null;
}

/** What every step has. */
export interface StepBase {
  /** Unique in the workflow: as written, else derived from the place (`steps[2]`). */
  readonly id: string;
  /** Where the step stands in the tree: `charge`, `checkout.charge`, `tier.switch[0].perks`. */
  readonly path: string;
  /** The name its output is bound to; `null`: none (no `output` and no written `id`). */
  readonly output: string | null;
  /** One `{{ … }}` that is a bool. */
  readonly when: string | null;
  /** The whole step, in milliseconds. */
  readonly timeout: number | null;
  /** Inside `parallel`: ids of the siblings that come first. */
  readonly needs: readonly string[];
  readonly place: Place;
}

/** Calls a method of a service. */
export interface CallStep extends StepBase, CallTarget {
  readonly kind: "call";
  readonly retry: RetryRule;
  /** The codes that the step itself named in `retry.codes`: only these revive a call that is not idempotent. */
  readonly ownCodes: readonly string[];
  /** `true`: at least once. `false`: at most once. */
  readonly idempotent: boolean;
  readonly compensate: Compensation | null;
}

/** What is called, with what. */
export interface CallTarget {
  readonly service: string;
  readonly method: string;
  readonly input: Template;
  /** Over the service's own. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly attemptTimeout: number;
  /** Where `method:` stands. */
  readonly methodPlace: Place;
}

/** How a step is undone: one call, or steps (paths `charge.compensate[0]`…). */
export type Compensation =
  | ({ readonly kind: "call" } & CallTarget)
  | { readonly kind: "steps"; readonly steps: readonly Step[] };

/** One after the other; the output is the last one's. */
export interface SequenceStep extends StepBase {
  readonly kind: "steps";
  readonly steps: readonly Step[];
}

/** Side by side; the output is a map by branch id. */
export interface ParallelStep extends StepBase {
  readonly kind: "parallel";
  readonly branches: readonly Step[];
  /** At most this many at a time; `null`: all. */
  readonly concurrency: number | null;
  readonly onFailure: "cancel" | "finish";
}

/** The first branch whose `when` is true; a branch without one is the default. */
export interface SwitchStep extends StepBase {
  readonly kind: "switch";
  readonly branches: readonly SwitchBranch[];
}

/** One branch of a `switch`. */
export interface SwitchBranch {
  readonly when: string | null;
  readonly steps: readonly Step[];
}

/** Names for later steps; the output is the map of them. */
export interface SetStep extends StepBase {
  readonly kind: "set";
  readonly values: Readonly<Record<string, Template>>;
}

/** Fails with a gRPC code and a message. */
export interface FailStep extends StepBase {
  readonly kind: "fail";
  readonly code: string;
  readonly message: string;
}

/** Ends the run as completed with this output. */
export interface ReturnStep extends StepBase {
  readonly kind: "return";
  readonly value: Template;
}

/** Any step. */
export type Step =
  | CallStep
  | SequenceStep
  | ParallelStep
  | SwitchStep
  | SetStep
  | FailStep
  | ReturnStep;

/** Steps that hold other steps. */
export type BlockStep = SequenceStep | ParallelStep | SwitchStep;
