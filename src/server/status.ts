/**
 * What the APIs answer when something can't be done: `google.rpc.Status`.
 *
 * @module
 */
import { type ErrorCode, MaestroError, type Problem } from "../errors.ts";
import { type FieldViolation, InvalidFields } from "./invalid_fields.ts";

/** A `google.rpc.Code` by its name. */
export type StatusName = keyof typeof CODES;

/** The numbers of `google.rpc.Code`, and what HTTP says instead. */
const CODES = {
  INVALID_ARGUMENT: { number: 3, http: 400 },
  NOT_FOUND: { number: 5, http: 404 },
  ALREADY_EXISTS: { number: 6, http: 409 },
  PERMISSION_DENIED: { number: 7, http: 403 },
  RESOURCE_EXHAUSTED: { number: 8, http: 429 },
  FAILED_PRECONDITION: { number: 9, http: 400 },
  ABORTED: { number: 10, http: 409 },
  INTERNAL: { number: 13, http: 500 },
  UNAVAILABLE: { number: 14, http: 503 },
  UNAUTHENTICATED: { number: 16, http: 401 },
} as const;

const NAMES: Readonly<Record<ErrorCode, StatusName>> = {
  WORKFLOW_INVALID: "INVALID_ARGUMENT",
  INPUT_INVALID: "INVALID_ARGUMENT",
  USAGE: "INVALID_ARGUMENT",
  INVALID_REQUEST: "INVALID_ARGUMENT",
  EXPRESSION_ERROR: "INVALID_ARGUMENT",
  SCHEMA_UNAVAILABLE: "FAILED_PRECONDITION",
  METHOD_NOT_FOUND: "FAILED_PRECONDITION",
  RUN_EXISTS: "ALREADY_EXISTS",
  RUN_NOT_FOUND: "NOT_FOUND",
  WORKFLOW_NOT_FOUND: "NOT_FOUND",
  SERVICE_NOT_FOUND: "NOT_FOUND",
  RUN_NOT_ACTIVE: "FAILED_PRECONDITION",
  RUN_OWNED: "ABORTED",
  CLAIM_LOST: "ABORTED",
  STORE_FAILED: "UNAVAILABLE",
  ENGINE_CLOSED: "UNAVAILABLE",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  FORBIDDEN: "PERMISSION_DENIED",
  OVERLOADED: "RESOURCE_EXHAUSTED",
  INTERNAL: "INTERNAL",
};

/** How many problems an answer lists at most. */
const MOST_PROBLEMS = 100;

/** `google.rpc.Status` as ProtoJSON. */
export interface StatusJson {
  /** A `google.rpc.Code`. */
  readonly code: number;
  /** For people. */
  readonly message: string;
  /** `google.rpc.ErrorInfo` with Maestro's own code as its reason; with problems, `google.rpc.BadRequest`. */
  readonly details: readonly ({ readonly "@type": string } & Readonly<Record<string, unknown>>)[];
}

/** An error as the APIs tell it. */
export interface ApiStatus {
  /** The name of its `google.rpc.Code`. */
  readonly name: StatusName;
  /** The status of an HTTP answer. */
  readonly http: (typeof CODES)[StatusName]["http"];
  /** The answer's body. */
  readonly body: StatusJson;
}

/** What to answer. Of a defect, and of a store's path, nothing is told. */
export function statusOf(thrown: unknown): ApiStatus {
  const error = MaestroError.from(thrown);
  const name = NAMES[error.code];
  const { number, http } = CODES[name];
  return {
    name,
    http,
    body: { code: number, message: HIDDEN[error.code] ?? error.message, details: detailsOf(error) },
  };
}

/** Whether the answer sends people to the log, which is to say what it does not. */
export function isForTheLog(thrown: unknown): boolean {
  return Object.hasOwn(HIDDEN, MaestroError.from(thrown).code);
}

const HIDDEN: Readonly<Partial<Record<ErrorCode, string>>> = {
  INTERNAL: "Something went wrong in Maestro; its log says what",
  STORE_FAILED: "The store can't be read or written now; the server's log says why",
};

function detailsOf(error: MaestroError): StatusJson["details"] {
  if (error.code === "INTERNAL") return [];
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: error.code,
    domain: "maestro",
  };
  const violations = violationsOf(error).slice(0, MOST_PROBLEMS);
  if (violations.length === 0) return [info];
  return [info, {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    field_violations: violations,
  }];
}

function violationsOf(error: MaestroError): readonly FieldViolation[] {
  if (error instanceof InvalidFields) return error.violations;
  return error.problems.map((problem) => ({
    field: fieldOf(problem),
    description: problem.message,
  }));
}

/** Where it stands: in a file, or in the request's input. */
function fieldOf({ file, line, column }: Problem): string {
  return [file ?? "input", line, column].filter((part) => part !== null).join(":");
}
