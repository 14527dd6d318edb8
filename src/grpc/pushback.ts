/** The trailer by which a server says when, or whether, it may be asked again (gRPC proposal A6). */
const PUSHBACK = "grpc-retry-pushback-ms";

/**
 * Reads a server's pushback: a delay in milliseconds, or `stop` where the trailer holds anything
 * but one whole number that isn't negative.
 */
export function readPushback(
  trailers: { get(key: string): readonly (string | Uint8Array)[] },
): number | "stop" | undefined {
  const values = trailers.get(PUSHBACK);
  if (values.length === 0) return undefined;
  const [value] = values;
  if (values.length > 1 || typeof value !== "string" || !/^\d+$/.test(value)) return "stop";
  const delay = Number(value);
  return Number.isSafeInteger(delay) ? delay : "stop";
}
