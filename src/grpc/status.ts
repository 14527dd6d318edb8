import type { Registry } from "@bufbuild/protobuf";
import type { StatusObject } from "@grpc/grpc-js";
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
  /** Whether the server had begun to answer: its headers had come. */
  readonly hasHeaders: boolean;
  /** How many messages had come. */
  readonly messages: number;
  /** Whether its deadline had passed. */
  readonly late: boolean;
  /** Finds the types of error details. */
  readonly registry: Registry;
}

/** grpc-js's status for a message that it can't decompress has neither code nor text. */
const COMPRESSED = "Compression method not supported";
/** What gRPC asks for in that case (its compression.md). */
const INTERNAL = 13;

/** The failure of an attempt that ended with a status other than OK. */
export function failureOfStatus(status: StatusObject, end: CallEnd): AttemptFailure {
  const error = status.code === undefined
    ? { ...status, code: INTERNAL, details: COMPRESSED }
    : status;
  const neverLeft = hasNeverLeft(error, end);
  const { where, ...state } = end;
  const transport = isAnswer(error)
    ? undefined
    : explainTransport(error.details, where, { ...state, neverLeft });
  const code = transport?.code ?? codeName(error.code);
  const pushback = readPushback(error.metadata);
  return {
    code,
    message: transport?.message ??
      (error.details || `"${where.service}" answered ${code}, with no message`),
    outcome: neverLeft ? "not_sent" : transport?.outcome ?? outcomeOf(code),
    ...readStatusDetails(error.metadata, error.code, end.registry),
    ...(pushback === undefined ? {} : { pushback }),
    ...(transport?.local && { local: true }),
  };
}

/** Whether the service itself said so: it may quote what grpc-js told it about another service. */
function isAnswer({ metadata }: StatusObject): boolean {
  const [type] = metadata.get("content-type");
  return typeof type === "string" && type.startsWith("application/grpc");
}

/**
 * Whether a call provably never left: it never had a connection to go by, or HTTP/2 says that the
 * server did nothing with it. "Connection dropped" proves nothing.
 */
function hasNeverLeft(status: StatusObject, { peer, target, hasHeaders }: CallEnd): boolean {
  if (hasHeaders || isAnswer(status)) return false;
  return peer === "unknown" || peer === target || status.details === "Stream refused by server";
}

function outcomeOf(code: string): AttemptFailure["outcome"] {
  const outcome = outcomeOfCode(code);
  // An error with the code OK is one of grpc-js's own: nothing is known.
  return outcome === "completed" ? "unknown" : outcome;
}
