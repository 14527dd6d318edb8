/**
 * What grpc-js keeps to itself of a call on its server: its HTTP/2 stream, and how large its messages
 * may be. Where it keeps them elsewhere one day, tests fail.
 *
 * @module
 */

/** Of `node:http2`. */
export interface Http2Stream {
  readonly session?: { readonly socket?: { readonly bytesWritten: number } } | undefined;
  close(code: number): void;
}

interface BaseCall {
  readonly stream?: Http2Stream;
  maxReceiveMessageSize?: number;
  readonly decoder?: { maxReadMessageLength: number };
}

interface Interceptor extends BaseCall {
  readonly nextCall?: Interceptor;
}

/** HTTP/2's error codes. */
export const RST = {
  /** The answer is complete, whatever else the request has to say. */
  NO_ERROR: 0,
  /** gRPC reads it as RESOURCE_EXHAUSTED. */
  ENHANCE_YOUR_CALM: 11,
} as const;

/** The stream of a call, as its handler has it. */
export function streamOf(call: object): Http2Stream | undefined {
  return baseOf((call as { call?: Interceptor }).call ?? {}).stream;
}

/** Closes the stream of a call, as an interceptor has it. */
export function closeStream(call: object, code: number): void {
  baseOf(call).stream?.close(code);
}

/** Makes a call's messages smaller than the server's may be, in bytes; before any of them is read. */
export function limitMessages(call: object, most: number): void {
  const base = baseOf(call);
  base.maxReceiveMessageSize = most;
  if (base.decoder !== undefined) base.decoder.maxReadMessageLength = most;
}

/** The innermost call: interceptors stand around it. */
function baseOf(call: Interceptor): BaseCall {
  let base = call;
  while (base.nextCall !== undefined) base = base.nextCall;
  return base;
}
