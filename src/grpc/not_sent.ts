import type { Answer } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import type { Destination } from "./transport_message.ts";

/** What kept a call from being made at all, as its answer. */
export function notSent(error: unknown): Answer {
  const { code, message } = MaestroError.from(error);
  // A file that is being replaced may be there at the next attempt.
  const named = code === "INVALID_REQUEST" ? code : "UNAVAILABLE";
  return { ok: false, failure: { code: named, message, outcome: "not_sent" } };
}

/** The answer of a call that nobody waited for any more when it was to be made. */
export function cancelledBefore(
  { service, endpoint }: Pick<Destination, "service" | "endpoint">,
): Answer {
  const message = `The call to "${service}" at ${endpoint} was cancelled before it was sent`;
  return { ok: false, failure: { code: "CANCELLED", message, outcome: "not_sent" } };
}
