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
  /** The server had begun to answer. @default false */
  readonly hasHeaders?: boolean;
  /** How many messages had come back. @default 0 */
  readonly messages?: number;
  /** Its deadline had passed. @default false */
  readonly late?: boolean;
}

/** A failure that grpc-js, and not the service, reported. */
export interface TransportFailure {
  readonly message: string;
  /** Where grpc-js's own is misleading. */
  readonly code?: string;
  /** Where the code would tell too much: it is not the service's. */
  readonly outcome?: "unknown";
  /** It is a limit of this side's own. */
  readonly local?: true;
}

type Explain = (
  where: Destination,
  match: RegExpExecArray,
  state: TransportState,
) => TransportFailure;

const NO_STATUS = "ended the call without a gRPC status";
const WHO_ANSWERS = "is there a proxy in between, or another server on that port?";

/** What grpc-js 1.14 says on Deno, and what it means. The first that fits is taken. */
const MEANINGS: readonly (readonly [RegExp, Explain])[] = [
  [
    // round_robin quotes one of the pick_firsts that it is made of, each of which says this, too.
    /^(?:round_robin: )?(?:No connection established\. Last error: )+(.*?)(?:\. Resolution note:.*)?$/s,
    (where, [, reason = ""]) => cannotReach(where, reachReason(reason, where.tls)),
  ],
  [
    /^(?:round_robin: )?No connection established/,
    (where) => cannotReach(where, "no connection could be made"),
  ],
  [/^Name resolution failed/, (where) => cannotReach(where, "its name cannot be resolved")],
  [
    /^Deadline exceeded after|^Failed to connect before the deadline/,
    (where, _match, state) =>
      state.neverLeft
        ? cannotReach(where, `no connection within ${formatDuration(where.timeout)}`)
        : ranOut(where, state),
  ],
  [
    /^Connection dropped$|^(?:read |write )?(?:ECONNRESET|ETIMEDOUT|EPIPE)$/,
    (where, _match, state) => dropped(where, state),
  ],
  [
    // On Deno a session that ends in the middle of a call looks like one of these two.
    /^Call cancelled$|^Received RST_STREAM with code 0 /,
    (where, [text], state) => {
      if (!state.connected) return { ...dropped(where, state), code: "UNAVAILABLE" };
      // A server in Go ends a call like this at its deadline, and is often the first to do so.
      if (state.late) return { ...ranOut(where, state), code: "DEADLINE_EXCEEDED" };
      return about(where, text === "Call cancelled" ? "cancelled the call" : NO_STATUS);
    },
  ],
  [
    /^Cancelled on client$/,
    (where) => ({ message: `The call to "${where.service}" at ${where.endpoint} was cancelled` }),
  ],
  [
    /^Stream refused by server$/,
    (where, _match, { neverLeft }) => {
      const what = neverLeft
        ? "refused the call"
        : "broke off the call that it had begun to answer";
      return about(where, `${what}: it is shutting down or overloaded`);
    },
  ],
  [
    /^Received HTTP status code (\d+)$/,
    (where, [, status = ""], { hasHeaders = false }) =>
      about(
        where,
        status === "200" && hasHeaders
          ? NO_STATUS
          : `answered with HTTP status ${status} and no gRPC: ${WHO_ANSWERS}`,
      ),
  ],
  [
    /^Received message larger than max \((\d+) vs \d+\)$/,
    (where, [, size = ""]) => {
      if (isText(Number(size))) {
        const failure = about(where, `answered with text and no gRPC: ${WHO_ANSWERS}`);
        return { ...failure, code: "UNAVAILABLE" };
      }
      return tooLarge(where, `answered with ${size} bytes, more than ${limit(where)}`);
    },
  ],
  [
    /^Received message that decompresses to a size larger/,
    (where) => tooLarge(where, `answered with more than ${limit(where)}`),
  ],
  [
    /^Compression method not supported$/,
    (where) =>
      about(where, "answered with a message compressed by a method other than gzip and deflate"),
  ],
  [
    /^Failed to decompress (\w+)-encoded message$/,
    (where, [, method = ""]) =>
      about(where, `answered with a message that is not the ${method} it is said to be`),
  ],
  [
    /^Received RST_STREAM with code (\d+)(?: \((.*)\)| triggered by internal client error: (.*))?$/s,
    (where, [, code = "", note, cause], state) => {
      // A GOAWAY with an error ends every call of its connection like this.
      if (!state.connected || cause?.startsWith("Session closed")) {
        return { ...dropped(where, state, code), code: "UNAVAILABLE" };
      }
      return about(where, `broke the call off: ${cause ?? note ?? `HTTP/2 error ${code}`}`);
    },
  ],
  [
    /^Bandwidth exhausted or memory limit exceeded$/,
    (where, _match, state) =>
      state.connected
        ? about(where, "broke the call off: it is asked for too much (ENHANCE_YOUR_CALM)")
        : { ...dropped(where, state, "11, ENHANCE_YOUR_CALM"), code: "UNAVAILABLE" },
  ],
  [
    /^Protocol not secure enough$/,
    (where) => ({
      ...about(where, "broke the call off: its connection is not secure enough"),
      outcome: "unknown",
    }),
  ],
  [
    // The stream was closed while there was still something to write; how the call went is lost.
    /^Write (?:error: |failed with error )/,
    (where, _match, state) =>
      state.connected
        ? about(where, "ended the call before it had read the whole request")
        : { ...dropped(where, state), code: "UNAVAILABLE" },
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

function tooLarge(where: Destination, what: string): TransportFailure {
  return { ...about(where, what), local: true };
}

function cannotReach({ service, endpoint }: Destination, reason: string): TransportFailure {
  return { message: `Cannot reach "${service}" at ${endpoint}: ${reason}` };
}

/** @param error HTTP/2's, where the server gave one */
function ranOut(where: Destination, { messages = 0 }: TransportState): TransportFailure {
  const within = `within ${formatDuration(where.timeout)}`;
  return about(
    where,
    messages === 0
      ? `gave no answer ${within}`
      : `sent ${count(messages)}, but did not end the call ${within}`,
  );
}

function dropped(
  where: Destination,
  { messages = 0 }: TransportState,
  error?: string,
): TransportFailure {
  const when = messages === 0 ? "before it answered" : `after ${count(messages)}`;
  const why = error === undefined ? "" : ` (HTTP/2 error ${error})`;
  return about(where, `closed the connection ${when}${why}`);
}

function count(messages: number): string {
  return `${messages} message${messages === 1 ? "" : "s"}`;
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
