/** What a name of a step, an output or a service looks like. */
export const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** What a workflow's name looks like. */
export const WORKFLOW_NAME = /^[a-z][a-z0-9_.-]{0,63}$/;

/** Roots of expressions that no name may take. */
export const ROOTS = ["input", "run", "env", "secrets", "steps", "error"] as const;

/** CEL's own words, its reserved ones included. */
export const CEL_WORDS: ReadonlySet<string> = new Set(
  ("true false null in as break const continue else for function if import let loop package " +
    "namespace return var void while").split(" "),
);

/** No step, output or service may be called so. */
export const RESERVED: ReadonlySet<string> = new Set<string>([...ROOTS, ...CEL_WORDS]);

/** gRPC's status codes but OK, in the order of their numbers (`google/rpc/code.proto`): CANCELLED is 1. */
export const GRPC_CODES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** Maestro's own codes that a `catch` may take. */
export const OWN_CODES = [
  "STEP_TIMEOUT",
  "CIRCUIT_OPEN",
  "RETRY_BUDGET_EXHAUSTED",
  "REPEAT_EXHAUSTED",
  "EXPRESSION_ERROR",
  "INVALID_REQUEST",
  "CHILD_FAILED",
] as const;

/** Maestro's own codes that end a run and that no `catch` takes. */
export const RUN_CODES = ["RUN_CANCELLED", "RUN_TIMEOUT"] as const;
