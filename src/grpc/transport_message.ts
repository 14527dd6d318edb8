import { formatDuration } from "../workflow/durations.ts";

/** Where a call was going, for messages. */
export interface Destination {
  /** The service's name in the workflow. */
  readonly service: string;
  readonly endpoint: string;
  /** What the call was given, in milliseconds. */
  readonly timeout: number;
  readonly maxMessageSize: number;
}

/** A failure that grpc-js, and not the service, reported; `code` where grpc-js's own is misleading. */
export interface TransportFailure {
  readonly message: string;
  readonly code?: string;
}

type Explain = (where: Destination, match: RegExpExecArray) => TransportFailure;

/** What grpc-js 1.14 says, and what it means. The first that fits is taken. */
const MEANINGS: readonly (readonly [RegExp, Explain])[] = [
  [
    /^No connection established\. Last error: (.*?)\.?\s*(?:Resolution note:.*)?$/s,
    (where, [, reason = ""]) => cannotReach(where, reachReason(reason)),
  ],
  [/^No connection established/, (where) => cannotReach(where, "no connection could be made")],
  [
    /^Name resolution failed/,
    (where) => cannotReach(where, "its name cannot be resolved"),
  ],
  [/^Failed to connect before the deadline|^Deadline exceeded after/, (where) => ({
    message: `"${where.service}" at ${where.endpoint} gave no answer within ${
      formatDuration(where.timeout)
    }`,
  })],
  [
    /^(Connection dropped|Stream refused by server|read ECONNRESET|.*ECONNRESET.*|read ETIMEDOUT)$/,
    (where, [text]) => ({
      message: text === "Stream refused by server"
        ? `"${where.service}" at ${where.endpoint} refused the call: it is shutting down or overloaded`
        : `"${where.service}" at ${where.endpoint} closed the connection before it answered`,
    }),
  ],
  [
    /^Received HTTP status code (\d+)$/,
    (where, [, status = ""]) => ({
      message: `"${where.service}" at ${where.endpoint} answered with HTTP status ${status} ` +
        "and no gRPC: is there a proxy in between, or another server on that port?",
    }),
  ],
  [
    /^Received message larger than max \((\d+) vs (\d+)\)$/,
    (where, [, size = ""]) =>
      isText(Number(size)) ? notGrpc(where) : {
        message: `"${where.service}" at ${where.endpoint} answered with ${size} bytes, more than its ` +
          `"max_message_size" of ${where.maxMessageSize} bytes`,
      },
  ],
  [
    /^Received RST_STREAM with code (\d+)(?: \((.*)\)| triggered by internal client error: (.*))?$/s,
    (where, [, code = "", note, cause]) => ({
      message: `"${where.service}" at ${where.endpoint} broke the call off: ` +
        (cause ?? note ?? `HTTP/2 error ${code}`),
    }),
  ],
  [
    /^(Call cancelled|Cancelled on client)$/,
    (where) => ({ message: `The call to "${where.service}" at ${where.endpoint} was cancelled` }),
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
): TransportFailure | undefined {
  for (const [pattern, explain] of MEANINGS) {
    const match = pattern.exec(details);
    if (match !== null) return explain(where, match);
  }
  return undefined;
}

function cannotReach(where: Destination, reason: string): TransportFailure {
  return { message: `Cannot reach "${where.service}" at ${where.endpoint}: ${reason}` };
}

function notGrpc(where: Destination): TransportFailure {
  return {
    code: "UNAVAILABLE",
    message: `"${where.service}" at ${where.endpoint} answered with text and no gRPC: ` +
      "is there a proxy in between, or another server on that port?",
  };
}

/** What the operating system, or TLS, says on connecting. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|Connection refused/i, "connection refused"],
  [/ENOTFOUND|EAI_AGAIN|failed to lookup/i, "its name cannot be resolved"],
  [/EHOSTUNREACH|ENETUNREACH|No route to host|Network is unreachable/i, "there is no route to it"],
  [/ETIMEDOUT|timed out/i, "connecting timed out"],
  [/ENOENT|No such file/i, "there is no such socket"],
  [/EACCES|Permission denied/i, "permission denied"],
  [/ECONNRESET|Connection reset|EPIPE|Broken pipe/i, "it closed the connection at once"],
];

function reachReason(text: string): string {
  const known = REASONS.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? text;
}

/** Whether a frame's length is really four letters: the start of an HTML page, read as a frame. */
function isText(size: number): boolean {
  return [24, 16, 8, 0].every((shift) => {
    const byte = (size >>> shift) & 0xff;
    return byte === 9 || byte === 10 || byte === 13 || byte >= 0x20 && byte < 0x7f;
  });
}
