import { type ErrorCode, MaestroError, type Problem } from "../../errors.ts";
import { Unanswered } from "./unreachable.ts";

/** `google.rpc.Status`, as far as it is believed. */
interface StatusLike {
  readonly message?: unknown;
  readonly details?: readonly {
    readonly reason?: unknown;
    readonly domain?: unknown;
    readonly field_violations?: readonly { readonly field: string; readonly description: string }[];
  }[];
}

/**
 * What a server said that refuses.
 *
 * @param http the answer's status
 * @param answer its body; `undefined`: it was no JSON
 */
export function refusal(
  url: string,
  http: number,
  answer: unknown,
  hasToken: boolean,
): MaestroError {
  const { message, details: given } = (answer ?? {}) as StatusLike;
  const details = Array.isArray(given) ? given as NonNullable<StatusLike["details"]> : [];
  const reason = details.find(({ domain }) => domain === "maestro")?.reason as
    | ErrorCode
    | undefined;
  if (typeof message !== "string") {
    return new Unanswered(
      "STORE_FAILED",
      `The server at ${url} answered ${http}, and not as Maestro does`,
    );
  }
  if (reason === "UNAUTHENTICATED") {
    const why = hasToken
      ? "does not know the token of --token-file"
      : "wants to know who asks: give --token-file with a file that holds your token";
    return new MaestroError(reason, `The server at ${url} ${why}`);
  }
  // A defect of the server, or a store that it can't read, is not this program's.
  if (reason === undefined || http >= 500) {
    return new MaestroError("STORE_FAILED", `The server at ${url} can't do it: ${message}`);
  }
  return new MaestroError(reason, message, { problems: problemsIn(reason, details) });
}

/** The mistakes of an input or a workflow, as they would be told here. */
function problemsIn(
  reason: ErrorCode,
  details: NonNullable<StatusLike["details"]>,
): readonly Problem[] {
  if (reason !== "INPUT_INVALID" && reason !== "WORKFLOW_INVALID") return [];
  const code = reason === "INPUT_INVALID" ? "input" : reason.toLowerCase();
  return details.flatMap(({ field_violations: found = [] }) => found)
    .map(({ field, description: message }) => {
      const [, file = null, line, column] = /^(.+):(\d+):(\d+)$/.exec(field) ?? [];
      const place = file === null ? { line: null, column: null } : {
        line: Number(line),
        column: Number(column),
      };
      return { severity: "error", code, message, file, ...place };
    });
}
