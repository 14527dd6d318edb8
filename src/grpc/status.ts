import type { Registry } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import type { AttemptFailure } from "../machines/failure.ts";
import { outcomeOfCode } from "../machines/outcome.ts";
import { codeName } from "./codes.ts";
import { readPushback } from "./pushback.ts";
import { readStatusDetails } from "./status_details.ts";
import { type Destination, explainTransport } from "./transport_message.ts";

/** How a call went, besides its status. */
export interface CallEnd {
  readonly where: Destination;
  /** `call.getPeer()` at the end. */
  readonly peer: string;
  /** {@linkcode Connection.target}. */
  readonly target: string;
  /** Whether the channel still has a connection. */
  readonly connected: boolean;
  /** Finds the types of error details. */
  readonly registry: Registry;
}

/** The failure of an attempt that grpc-js ended with an error. */
export function failureOfStatus(error: ServiceError, end: CallEnd): AttemptFailure {
  const neverLeft = hasNeverLeft(error, end);
  const { where, connected } = end;
  const transport = isAnswer(error)
    ? undefined
    : explainTransport(error.details, where, { neverLeft, connected });
  const code = transport?.code ?? codeName(error.code);
  const pushback = readPushback(error.metadata);
  return {
    code,
    message: transport?.message ??
      (error.details || `"${where.service}" answered ${code}, with no message`),
    outcome: neverLeft ? "not_sent" : outcomeOf(code),
    ...readStatusDetails(error.metadata, error.code, end.registry),
    ...(pushback === undefined ? {} : { pushback }),
  };
}

/** Whether the service itself said so: it may quote what grpc-js told it about another service. */
function isAnswer({ metadata }: ServiceError): boolean {
  const [type] = metadata.get("content-type");
  return typeof type === "string" && type.startsWith("application/grpc");
}

/**
 * Whether a call provably never left: it never had a connection to go by, or HTTP/2 says that the
 * server did nothing with it. "Connection dropped" proves nothing.
 */
function hasNeverLeft({ details }: ServiceError, { peer, target }: CallEnd): boolean {
  return peer === "unknown" || peer === target || details === "Stream refused by server";
}

function outcomeOf(code: string): AttemptFailure["outcome"] {
  const outcome = outcomeOfCode(code);
  // An error with the code OK is one of grpc-js's own: nothing is known.
  return outcome === "completed" ? "unknown" : outcome;
}
