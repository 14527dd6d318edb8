import type { LogLevel as LogTapeLevel } from "@logtape/logtape";

/**
 * How much is logged, from most to least.
 *
 * - `trace`: also payloads: requests, responses, what services say about their failures
 * - `debug`: also each attempt
 * - `info`: starts and ends of runs and steps
 * - `warn`: retries, open circuit breakers, rollbacks
 * - `error`: failures
 */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

/** Every level, from most to least. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

/** A level by LogTape's name for it. */
export function toLogTape(level: LogLevel): LogTapeLevel {
  return level === "warn" ? "warning" : level;
}

/** LogTape's level by our name for it. */
export function fromLogTape(level: LogTapeLevel): LogLevel {
  if (level === "warning") return "warn";
  return level === "fatal" ? "error" : level;
}
