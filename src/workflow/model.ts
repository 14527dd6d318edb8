/**
 * What a workflow is, after parsing: plain, frozen, JSON-safe data. Durations are milliseconds,
 * sizes are bytes, defaults are filled in and merged, so that nothing below has to ask again.
 *
 * @module
 */
import type { Json } from "./json.ts";
import type {
  BreakerRule,
  BudgetRule,
  HealthRule,
  PoolRule,
  RateRule,
  TlsRule,
} from "./service_rules.ts";

/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  /** The path it was read by: as the user named it, or beside the file that includes it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** JSON whose strings may hold `{{ expressions }}`. */
export type Template = Json;

/** A whole workflow. */
export interface Workflow {
  /** What logs, reports and `.run.workflow` call it. */
  readonly name: string;
  /** As the author writes it, such as `1.0`; `null`: not written. */
  readonly version: string | null;
  /** For people; `null`: not written. */
  readonly description: string | null;
  /** For the forward part of a run, in milliseconds; `null`: none. */
  readonly timeout: number | null;
  /** JSON Schema (2020-12) of the run's input; `null`: any input fits. */
  readonly input: Json | null;
  /** What a run returns; `null`: the last step's output. */
  readonly output: Template | null;
  /** By name: those that steps call, and those that are written in this very file. */
  readonly services: Readonly<Record<string, Service>>;
  /** How compensations are tried. */
  readonly saga: SagaRule;
  /** When a server starts runs by itself; `null`: it doesn't. */
  readonly schedule: Schedule | null;
  /** What is done, in order. */
  readonly steps: readonly Step[];
  /** The environment variables that expressions name (`.env.NAME`), its children's too, sorted. */
  readonly env: readonly string[];
  /** The secrets that expressions name (`.secrets.NAME`), its children's too, sorted. */
  readonly secrets: readonly string[];
  /** The whole document. */
  readonly place: Place;
}

/** When runs start by themselves. */
export interface Schedule {
  /** Five parts, from minutes to days of the week, or six with the seconds before them. */
  readonly cron: string;
  /** By whose clocks, as IANA calls it. Default `UTC`. */
  readonly timezone: string;
  /** The input of its runs, as it stands. Default `{}`. */
  readonly input: Json;
  /** What happens at a moment at which the run before is still under way. Default `skip`. */
  readonly overlap: "skip" | "allow";
  /** Its input, or else the schedule itself. */
  readonly place: Place;
}

/** Who is called, and how. */
export interface Service {
  /** Its key under `services`, by which steps call it. */
  readonly name: string;
  /** `host:port`, `dns:///…`, `ipv4:…` or `unix:…`; may hold `.env` and `.secrets` expressions. */
  readonly endpoint: string;
  /** Where its methods and messages are described. */
  readonly schema: SchemaSource;
  /** Narrows `method: Charge` to this proto service. */
  readonly protoService: string | null;
  /** `null`: plain text. */
  readonly tls: TlsRule | null;
  /** Sent with every call: keys in lower case; values may hold expressions, secrets among them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** For one call, in milliseconds. Default 30,000. */
  readonly attemptTimeout: number;
  /** What its steps' own rules are laid over; with nothing written, one attempt. */
  readonly retry: RetryRule;
  /** How many retries all of its callers together may cause; `null` (default): as many as they like. */
  readonly budget: BudgetRule | null;
  /** When it is left alone for a while; `null`: turned off. */
  readonly breaker: BreakerRule | null;
  /** How many calls go out at a time, and over how many connections. */
  readonly pool: PoolRule;
  /** How many calls may begin in any such time; `null` (default): no limit. */
  readonly rateLimit: RateRule | null;
  /** Watched by `grpc.health.v1`; `null` (default): not. */
  readonly health: HealthRule | null;
  /** Over the addresses of its endpoint. Default `pick_first`, as gRPC's. */
  readonly loadBalancing: "pick_first" | "round_robin";
  /** Of requests; `null`: none. */
  readonly compression: "gzip" | null;
  /** In bytes, both ways. Default 4 MiB: gRPC's own for what is received. */
  readonly maxMessageSize: number;
  /** The most messages that a stream may answer with. Default 10,000. */
  readonly maxMessages: number;
  /** Its key under `services`. */
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

/** When a failed call is made again: gRPC A6's retries (semantics.md §1). */
export interface RetryRule {
  /** Every call counts, the first included; 1: no retry. Default 3; with no rule written, 1. */
  readonly attempts: number;
  /** Whether delays grow by `multiplier` or stay the first. Default `exponential`. */
  readonly backoff: "exponential" | "constant";
  /** Before the first retry, in milliseconds. Default 500; for compensations 1,000. */
  readonly initialDelay: number;
  /** How many times longer each delay is than the one before, from 1 on. Default 2. */
  readonly multiplier: number;
  /** The longest delay, in milliseconds. Default 10,000; for compensations 60,000. */
  readonly maxDelay: number;
  /** The share of the delay that is random, 0 to 1. Default 0.5: equal jitter. */
  readonly jitter: number;
  /** Codes retried besides the table's, for an idempotent call. */
  readonly codes: readonly string[];
}

/** How compensations are tried again. */
export interface SagaRule {
  /** Between attempts; there is no most of them, and the codes are semantics.md §4's. */
  readonly retry: Omit<RetryRule, "attempts" | "codes">;
  /** Milliseconds from a compensation's first attempt until it is parked. Default `null`: never. */
  readonly giveUpAfter: number | null;
}

/** What every step has. */
export interface StepBase {
  /** Unique in the workflow: as written, else derived from the place (`steps[2]`). */
  readonly id: string;
  /**
   * Where the step stands in the tree: `charge`, `checkout.charge`, `tier.switch[0].perks`,
   * `charge.catch[0].steps[1]`. In the rounds of a `foreach` or `repeat` the round is left open:
   * `ship[].label`.
   */
  readonly path: string;
  /** The name its output is bound to; `null`: none (no `output` and no written `id`). */
  readonly output: string | null;
  /** One `{{ … }}` that is a bool; false skips the step. `null`: always done. */
  readonly when: string | null;
  /** The whole step, retries and waits included, in milliseconds; `null`: none. */
  readonly timeout: number | null;
  /** Inside `parallel`: ids of the siblings that come first. */
  readonly needs: readonly string[];
  /** What takes its failure: the first that fits. Empty where nothing does. */
  readonly catch: readonly CatchEntry[];
  /** The step as a whole. */
  readonly place: Place;
}

/** Takes a step's failure once everything inside the step has settled; the step then counts as completed. */
export interface CatchEntry {
  /** gRPC's or Maestro's own; empty: any. */
  readonly codes: readonly string[];
  /** `google.rpc.ErrorInfo.reason`; `null`: any, or none. */
  readonly reason: string | null;
  /** One `{{ … }}` that is a bool and sees `.error`; `null`: always. */
  readonly when: string | null;
  /** Whether what the step's block completed is compensated before `steps`. Default `false`. */
  readonly undo: boolean;
  /** Done in order; they see `.error`. */
  readonly steps: readonly Step[];
  /** The step's output instead; `null`: that of the last of `steps`, else `{}`. */
  readonly result: Template | null;
  /** The entry as a whole. */
  readonly place: Place;
}

/** Calls a method of a service. */
export interface CallStep extends StepBase, CallTarget {
  /** Written with the key `service`. */
  readonly kind: "call";
  /** The service's rule with the step's own laid over it. */
  readonly retry: RetryRule;
  /** The codes that the step itself named in `retry.codes`: only these revive a call that is not idempotent. */
  readonly ownCodes: readonly string[];
  /** `true` (default): at least once. `false`: at most once. */
  readonly idempotent: boolean;
  /** Whether the file says so; where it doesn't, the method's schema is asked, for a warning. */
  readonly idempotentStated: boolean;
  /** What undoes it when the run turns back; `null`: nothing does. */
  readonly compensate: Compensation | null;
  /** What is asked when its outcome is unknown; `null`: nothing is. */
  readonly verify: Verify | null;
  /** Whether there is no way back after it. Default `false`. */
  readonly pivot: boolean;
}

/** A call that settles an unknown outcome: OK means that the step did happen, NOT_FOUND that it did not. */
export interface Verify extends CallTarget {
  /** The step's output when it did happen; sees the answer by the step's own `output`. `null`: the answer. */
  readonly result: Template | null;
}

/** What is called, with what. */
export interface CallTarget {
  /** A key of {@linkcode Workflow.services}. */
  readonly service: string;
  /** `Charge`, `Payments/Charge` or `acme.payments.v1.Payments/Charge`. */
  readonly method: string;
  /** The request's fields, in either spelling; a list of requests where the method takes a stream. Default `{}`. */
  readonly input: Template;
  /** Laid over the service's own; keys in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** For one call, in milliseconds. Default: the service's. */
  readonly attemptTimeout: number;
  /** The most messages that a stream may answer with. Default: the service's. */
  readonly maxMessages: number;
  /** Where `method:` stands. */
  readonly methodPlace: Place;
}

/** How a step is undone: one call, or steps (paths `charge.compensate[0]`…). */
export type Compensation =
  | ({ readonly kind: "call" } & CallTarget)
  | { readonly kind: "steps"; readonly steps: readonly Step[] };

/** One after the other; the output is the last one's. */
export interface SequenceStep extends StepBase {
  /** Written with the key `steps`. */
  readonly kind: "steps";
  /** In order. */
  readonly steps: readonly Step[];
}

/** Side by side; the output is a map by branch id. */
export interface ParallelStep extends StepBase {
  /** Written with the key `parallel`. */
  readonly kind: "parallel";
  /** Each starts as soon as those it `needs` are done. */
  readonly branches: readonly Step[];
  /** At most this many at a time; `null`: all. */
  readonly concurrency: number | null;
  /** When one fails, whether the others are cancelled or run to their end. Default `cancel`. */
  readonly onFailure: "cancel" | "finish";
}

/** The first branch whose `when` is true; a branch without one is the default. */
export interface SwitchStep extends StepBase {
  /** Written with the key `switch`. */
  readonly kind: "switch";
  /** In the order in which they are asked. */
  readonly branches: readonly SwitchBranch[];
}

/** One branch of a `switch`. */
export interface SwitchBranch {
  /** One `{{ … }}` that is a bool; `null`: taken when no earlier one is. */
  readonly when: string | null;
  /** Done in order when the branch is taken. */
  readonly steps: readonly Step[];
}

/** Names for later steps; the output is the map of them. */
export interface SetStep extends StepBase {
  /** Written with the key `set`. */
  readonly kind: "set";
  /** By the name that later steps see. */
  readonly values: Readonly<Record<string, Template>>;
}

/** Fails with a gRPC code and a message. */
export interface FailStep extends StepBase {
  /** Written with the key `fail`. */
  readonly kind: "fail";
  /** A gRPC status code, such as `FAILED_PRECONDITION`. */
  readonly code: string;
  /** What the failure says; may hold expressions. */
  readonly message: string;
}

/** Ends the run as completed with this output. */
export interface ReturnStep extends StepBase {
  /** Written with the key `return`. */
  readonly kind: "return";
  /** What the run returns, whatever the workflow's `output` says. */
  readonly value: Template;
}

/** For each item; the output is the list of the rounds' results, in the items' order. */
export interface ForeachStep extends StepBase {
  /** Written with the key `foreach`. */
  readonly kind: "foreach";
  /** One expression that gives a list, or a list. */
  readonly items: Template;
  /** What a round's steps call its item; `<as>_index` is its place, from 0. Default `item`. */
  readonly as: string;
  /** At most this many rounds at a time. Default 1. */
  readonly concurrency: number;
  /** When a round fails, whether the others are cancelled or run to their end. Default `cancel`. */
  readonly onFailure: "cancel" | "finish";
  /** One round, in order. */
  readonly steps: readonly Step[];
  /** One round's result; `null`: its last step's output. */
  readonly result: Template | null;
}

/** Again until a condition holds; the output is the last round's result. */
export interface RepeatStep extends StepBase {
  /** Written with the key `repeat`. */
  readonly kind: "repeat";
  /** One round, in order. */
  readonly steps: readonly Step[];
  /** One `{{ … }}` that is a bool, asked after each round; true ends it. */
  readonly until: string;
  /** Between two rounds, in milliseconds. Default 0. */
  readonly every: number;
  /** The round after which it fails as `REPEAT_EXHAUSTED`; `null`: its `timeout` ends it. */
  readonly maxRounds: number | null;
  /** The last round's result; `null`: its last step's output. */
  readonly result: Template | null;
}

/** Waits; the output is `{}`. One of `duration` and `until` is there. */
export interface WaitStep extends StepBase {
  /** Written with the key `wait`. */
  readonly kind: "wait";
  /** In milliseconds. */
  readonly duration: number | null;
  /** An RFC 3339 time, or an expression that gives one or a Timestamp. */
  readonly until: string | null;
}

/** Waits for a signal from outside; its payload is the output. */
export interface SignalStep extends StepBase {
  /** Written with the key `await_signal`. */
  readonly kind: "await_signal";
  /** The signal's name. */
  readonly signal: string;
}

/** Another workflow as a run of its own; its output is the output. */
export interface ChildStep extends StepBase {
  /** Written with the key `workflow`. */
  readonly kind: "workflow";
  /** The whole child, as its file defines it. */
  readonly workflow: Workflow;
  /** The child's input. Default `{}`. */
  readonly input: Template;
  /** What undoes it, in place of the child's own compensations; `null`: these do. */
  readonly compensate: Compensation | null;
}

/** Any step. */
export type Step =
  | CallStep
  | SequenceStep
  | ParallelStep
  | SwitchStep
  | ForeachStep
  | RepeatStep
  | WaitStep
  | SignalStep
  | ChildStep
  | SetStep
  | FailStep
  | ReturnStep;

/** Steps that hold other steps. */
export type BlockStep = SequenceStep | ParallelStep | SwitchStep | ForeachStep | RepeatStep;
