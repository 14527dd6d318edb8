import { formatDuration } from "../workflow/durations.ts";
import { formatSize } from "../workflow/sizes.ts";
import { reachReason } from "./reach_reason.ts";

/** Where a call was going, for messages. */
export interface Destination {
  /** The service's name in the workflow. */
  readonly service: string;
  readonly endpoint: string;
  readonly tls: boolean;
  /** What the call was given, in milliseconds. */
  readonly timeout: number;
  /** In bytes. */
  readonly maxMessageSize: number;
}

/** How a call stood when it ended. */
export interface TransportState {
  /** It never had a connection to leave by. */
  readonly neverLeft: boolean;
  /** The channel still has a connection. */
  readonly connected: boolean;
}

/** A failure that grpc-js, and not the service, reported; `code` where grpc-js's own is misleading. */
export interface TransportFailure {
  readonly message: string;
  readonly code?: string;
}

type Explain = (
  where: Destination,
  match: RegExpExecArray,
  state: TransportState,
) => TransportFailure;

const WHO_ANSWERS = "is there a proxy in between, or another server on that port?";

/** What grpc-js 1.14 says on Deno, and what it means. The first that fits is taken. */
const MEANINGS: readonly (readonly [RegExp, Explain])[] = [
  [
    /^No connection established\. Last error: (.*?)(?:\. Resolution note:.*)?$/s,
    (where, [, reason = ""]) => cannotReach(where, reachReason(reason, where.tls)),
  ],
  [/^No connection established/, (where) => cannotReach(where, "no connection could be made")],
  [/^Name resolution failed/, (where) => cannotReach(where, "its name cannot be resolved")],
  [
    /^Deadline exceeded after|^Failed to connect before the deadline/,
    (where, _match, { neverLeft }) =>
      neverLeft
        ? cannotReach(where, `no connection within ${formatDuration(where.timeout)}`)
        : about(where, `gave no answer within ${formatDuration(where.timeout)}`),
  ],
  [
    /^Connection dropped$|^(?:read |write )?(?:ECONNRESET|ETIMEDOUT|EPIPE)$/,
    (where) => dropped(where),
  ],
  [
    // On Deno a session that ends in the middle of a call looks like one of these two.
    /^Call cancelled$|^Received RST_STREAM with code 0 /,
    (where, [text], { connected }) => {
      if (!connected) return { ...dropped(where), code: "UNAVAILABLE" };
      return about(
        where,
        text === "Call cancelled" ? "cancelled the call" : "ended the call without a gRPC status",
      );
    },
  ],
  [
    /^Cancelled on client$/,
    (where) => ({ message: `The call to "${where.service}" at ${where.endpoint} was cancelled` }),
  ],
  [
    /^Stream refused by server$/,
    (where) => about(where, "refused the call: it is shutting down or overloaded"),
  ],
  [
    /^Received HTTP status code (\d+)$/,
    (where, [, status = ""]) =>
      about(where, `answered with HTTP status ${status} and no gRPC: ${WHO_ANSWERS}`),
  ],
  [
    /^Received message larger than max \((\d+) vs \d+\)$/,
    (where, [, size = ""]) => {
      if (isText(Number(size))) {
        const failure = about(where, `answered with text and no gRPC: ${WHO_ANSWERS}`);
        return { ...failure, code: "UNAVAILABLE" };
      }
      return about(where, `answered with ${size} bytes, more than ${limit(where)}`);
    },
  ],
  [
    /^Received message that decompresses to a size larger/,
    (where) => about(where, `answered with more than ${limit(where)}`),
  ],
  [
    // grpc-js says UNIMPLEMENTED, which would mean that nothing was done.
    /^No message received$/,
    (where) => ({ ...about(where, "answered OK without a message"), code: "INTERNAL" }),
  ],
  [
    /^Received RST_STREAM with code (\d+)(?: \((.*)\)| triggered by internal client error: (.*))?$/s,
    (where, [, code = "", note, cause]) =>
      about(where, `broke the call off: ${cause ?? note ?? `HTTP/2 error ${code}`}`),
  ],
];

/**
 * Says in a newcomer's words what kept a call from being answered.
 *
 * @param details the text of a status of grpc-js
 * @returns `undefined` for a text that is not one of grpc-js's own: the service's
 */
export function explainTransport(
  details: string,
  where: Destination,
  state: TransportState,
): TransportFailure | undefined {
  for (const [pattern, explain] of MEANINGS) {
    const match = pattern.exec(details);
    if (match !== null) return explain(where, match, state);
  }
  return undefined;
}

function about({ service, endpoint }: Destination, what: string): TransportFailure {
  return { message: `"${service}" at ${endpoint} ${what}` };
}

function cannotReach({ service, endpoint }: Destination, reason: string): TransportFailure {
  return { message: `Cannot reach "${service}" at ${endpoint}: ${reason}` };
}

function dropped(where: Destination): TransportFailure {
  return about(where, "closed the connection before it answered");
}

function limit({ maxMessageSize }: Destination): string {
  return `its "max_message_size" of ${formatSize(maxMessageSize)}`;
}

/** Whether a frame's length is really four letters: the start of a page, read as a frame. */
function isText(size: number): boolean {
  return [24, 16, 8, 0].every((shift) => {
    const byte = (size >>> shift) & 0xff;
    return byte === 9 || byte === 10 || byte === 13 || byte >= 0x20 && byte < 0x7f;
  });
}
