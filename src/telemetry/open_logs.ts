import { configure, dispose, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { type FormatOptions, formatRecord, type LogFormat } from "./format.ts";
import { type LogLevel, toLogTape } from "./levels.ts";
import { LogLines } from "./log_lines.ts";

/** Where a program's logs go. */
export interface LogOptions extends FormatOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes whole lines. What it throws is swallowed: a log that can't be written stops no run. */
  readonly write: (text: string) => void | Promise<void>;
}

/** What the logging was opened for. */
export interface OpenLogs {
  readonly logger: Logger;
  /** For who did what: what it logs is there on every level, and is never dropped. */
  readonly audit: Logger;
  /** Writes what is still waiting, and ends the logging: call it before the process exits. */
  close(): Promise<void>;
}

/** The category of everything Maestro logs. */
const CATEGORY = "maestro";

/** Sends what is logged on its way, without anyone waiting for it. */
export async function openLogs(options: LogOptions): Promise<OpenLogs> {
  const { level, format, write } = options;
  const textOf = (record: LogRecord) => formatRecord(format, record, options);
  const lines = new LogLines(write, (dropped) => textOf(gapOf(dropped)));
  await configure({
    reset: true,
    sinks: {
      out: (record) => lines.add(textOf(record), false),
      audit: (record) => lines.add(textOf(record), true),
    },
    loggers: [
      { category: CATEGORY, sinks: ["out"], lowestLevel: toLogTape(level) },
      {
        category: [CATEGORY, "audit"],
        sinks: ["audit"],
        parentSinks: "override",
        lowestLevel: "info",
      },
      { category: ["logtape", "meta"], lowestLevel: null },
    ],
  });
  return {
    logger: getLogger(CATEGORY),
    audit: getLogger([CATEGORY, "audit"]),
    async close() {
      await dispose();
      await lines.flush();
    },
  };
}

function gapOf(dropped: number): LogRecord {
  const message = "lines of the log were dropped: too many came at once";
  return {
    category: [CATEGORY],
    level: "warning",
    message: [message],
    rawMessage: message,
    timestamp: Date.now(),
    properties: { dropped },
  };
}
