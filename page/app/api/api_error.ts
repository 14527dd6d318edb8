import type { JsonValue } from "./json.ts";

/** What is wrong with one field of a request. */
export interface FieldError {
  /** Where it stands: `page_size`; for a run's input just `input`, and the description has the rest. */
  readonly field: string;
  readonly description: string;
}

/** What a request came to that was refused, or did not come through. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status; 0: the server was not reached. */
    readonly status: number,
    message: string,
    /** What is wrong with single fields. */
    readonly fields: readonly FieldError[] = [],
  ) {
    super(message);
  }

  /** From an answer's body: `google.rpc.Status` as JSON, also inside of `error`. */
  static of(status: number, body: JsonValue): ApiError {
    const outer = asRecord(body);
    const inner = asRecord(outer?.["error"]) ?? outer;
    const message = inner?.["message"];
    const text = typeof message === "string" && message !== "" ? message : sayStatus(status);
    return new ApiError(status, text, fieldsOf(inner?.["details"]));
  }

  /** Anything thrown. */
  static from(thrown: unknown): ApiError {
    if (thrown instanceof ApiError) return thrown;
    return new ApiError(
      0,
      "Cannot reach the server. It may be restarting, or the network is down.",
    );
  }
}

function sayStatus(status: number): string {
  if (status === 404) return "There is no such thing here.";
  if (status === 403) return "Your token does not allow this.";
  return `The server answered with status ${status}.`;
}

function fieldsOf(details: unknown): readonly FieldError[] {
  const found: FieldError[] = [];
  for (const detail of Array.isArray(details) ? details : []) {
    const record = asRecord(detail);
    const violations = record?.["field_violations"] ?? record?.["fieldViolations"];
    for (const violation of Array.isArray(violations) ? violations : []) {
      const { field, description } = asRecord(violation) ?? {};
      if (typeof field === "string" && typeof description === "string") {
        found.push({ field, description });
      }
    }
  }
  return found;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? value as Record<string, unknown> // an object is one
    : null;
}
