import type { EngineOptions } from "../engine/engine_options.ts";
import { MaestroError } from "../errors.ts";
import type { LogFormat } from "../telemetry/format.ts";
import type { LogLevel } from "../telemetry/levels.ts";
import type { RunLogger } from "../telemetry/run_log.ts";
import type { Output } from "./output.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";

/** The options about logs, as given. */
export interface LogFlags {
  readonly logLevel?: LogLevel | undefined;
  readonly logFormat?: LogFormat | undefined;
  readonly logFile?: string | undefined;
}

/** Whether logs take standard error, where progress would be. */
export function logsToStderr({ logLevel, logFormat, logFile }: LogFlags): boolean {
  return logFile === undefined && (logLevel !== undefined || logFormat !== undefined);
}

/** Logging as the flags ask for it. */
export interface Logs {
  /** Hears what happens; `undefined` where nothing is logged. */
  readonly onHappening: EngineOptions["onHappening"];
  /** Writes what is still waiting, and ends the logging. */
  close(): Promise<void>;
}

/** Logging that is there. */
export interface OpenedLogs extends Logs {
  /** For what is no run's. */
  readonly logger: RunLogger;
  /** For who did what: it is there on every level. */
  readonly audit: RunLogger;
}

/** Nothing is logged. */
export const NO_LOGS: Logs = { onHappening: undefined, close: () => Promise.resolve() };

/**
 * Starts logging where the flags ask for it.
 *
 * @throws {MaestroError} `USAGE` where the file can't be written
 */
export async function startLogs(
  flags: LogFlags,
  stderr: Output,
  mask: (text: string) => string,
): Promise<Logs> {
  if (flags.logFile === undefined && !logsToStderr(flags)) return NO_LOGS;
  return await openLogs(flags, stderr, mask);
}

/**
 * Starts logging, to standard error where no file is named.
 *
 * @param write how standard error is written
 * @throws {MaestroError} `USAGE` where the file can't be written
 */
export async function openLogs(
  { logLevel = "info", logFormat, logFile }: LogFlags,
  stderr: Output,
  mask: (text: string) => string,
  write: (text: string) => void | Promise<void> = (text) => stderr.write(text),
): Promise<OpenedLogs> {
  const [opening, { logHappenings }, { paintWith }] = await Promise.all([
    import("../telemetry/open_logs.ts"),
    import("../telemetry/run_log.ts"),
    import("./palette.ts"),
  ]);
  const file = logFile === undefined ? null : await openFile(logFile);
  const onTerminal = file === null && stderr.isTerminal;
  const paint = paintWith(file === null && stderr.colour);
  const { logger, audit, close } = await opening.openLogs({
    level: logLevel,
    format: logFormat ?? (onTerminal ? "pretty" : "json"),
    mask,
    paint: (level, text) => paint(TONES[level], text),
    write: (text) => file === null ? write(text) : writeAll(file, encoder.encode(text)),
  });
  return {
    logger,
    audit,
    onHappening: logHappenings(logger),
    async close() {
      await close();
      file?.close();
    },
  };
}

const encoder = new TextEncoder();

const TONES = { trace: "faint", debug: "faint", info: "good", warn: "warn", error: "bad" } as const;

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { append: true, create: true });
  } catch (thrown) {
    const why = thrown instanceof Deno.errors.NotFound
      ? "its directory does not exist"
      : whyUnreadable(thrown).replace("to read it", "to write it");
    throw new MaestroError("USAGE", `Cannot write the log file "${path}": ${why}`);
  }
}
