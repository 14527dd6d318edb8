/**
 * What went wrong, by code. A closed set: callers may switch over it.
 *
 * - `WORKFLOW_INVALID`: the workflow has problems; `problems` lists every one
 * - `INPUT_INVALID`: the run's input does not fit, or is not JSON
 * - `USAGE`: an option or argument is wrong
 * - `SCHEMA_UNAVAILABLE`: a service's schema cannot be had (files missing, reflection off)
 * - `METHOD_NOT_FOUND`: a method is missing or ambiguous; the message lists what there is
 * - `INVALID_REQUEST`: a request does not fit its message; the message names the field's path
 * - `EXPRESSION_ERROR`: an expression cannot be compiled or evaluated
 * - `RUN_EXISTS`, `RUN_NOT_FOUND`, `RUN_NOT_ACTIVE`: a run id is taken, unknown, or not open to that command
 * - `RUN_OWNED`: a live process goes on with the run, and nobody else may
 * - `CLAIM_LOST`: another owner has taken the run over
 * - `STORE_FAILED`: the journal cannot be read or written
 * - `ENGINE_CLOSED`: the engine was closed
 * - `WORKFLOW_NOT_FOUND`, `SERVICE_NOT_FOUND`: a server has none of that name
 * - `UNAUTHENTICATED`, `FORBIDDEN`: a server does not know who asks, or does not let them
 * - `OVERLOADED`: a server has as much to do as it takes on; later it may take on more
 * - `INTERNAL`: a defect in Maestro
 */
export type ErrorCode =
  | "WORKFLOW_INVALID"
  | "INPUT_INVALID"
  | "USAGE"
  | "SCHEMA_UNAVAILABLE"
  | "METHOD_NOT_FOUND"
  | "INVALID_REQUEST"
  | "EXPRESSION_ERROR"
  | "RUN_EXISTS"
  | "RUN_NOT_FOUND"
  | "RUN_NOT_ACTIVE"
  | "RUN_OWNED"
  | "CLAIM_LOST"
  | "STORE_FAILED"
  | "ENGINE_CLOSED"
  | "WORKFLOW_NOT_FOUND"
  | "SERVICE_NOT_FOUND"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "OVERLOADED"
  | "INTERNAL";

/** One thing to mend in a file, and where it stands. */
export interface Problem {
  /** A workflow with an `error` can't be run; one with warnings can. */
  readonly severity: "error" | "warning";
  /** A stable name for the kind of problem, such as `unknown_key`. */
  readonly code: string;
  /** What is wrong and what to do, in one sentence without a full stop. */
  readonly message: string;
  /** As the user named it, or `null` where the problem is in no file. */
  readonly file: string | null;
  /** From 1; `null` where the problem is in no line of a file. */
  readonly line: number | null;
  /** From 1, in UTF-16 units; `null` as `line`. */
  readonly column: number | null;
}

/** The one error class of Maestro. */
export class MaestroError extends Error {
  /** Tells it apart where `instanceof` can't. */
  override readonly name = "MaestroError";

  /** The options take the cause, and the problems where the error is about a file. */
  constructor(
    /** What kind of thing went wrong: what a program goes by. */
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions & { readonly problems?: readonly Problem[] },
  ) {
    super(message, options);
    this.problems = options?.problems ?? [];
  }

  /** Every problem found, where the error is about a file. */
  readonly problems: readonly Problem[];

  /** Anything thrown, as a {@linkcode MaestroError}; what is one already stays itself. */
  static from(thrown: unknown, code: ErrorCode = "INTERNAL"): MaestroError {
    if (thrown instanceof MaestroError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new MaestroError(code, message, { cause: thrown });
  }
}
