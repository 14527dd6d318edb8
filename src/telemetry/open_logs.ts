import {
  configure,
  dispose,
  getLogger,
  getStreamSink,
  type Logger,
  type StreamSinkOptions,
} from "@logtape/logtape";
import { type FormatOptions, formatRecord, type LogFormat } from "./format.ts";
import { type LogLevel, toLogTape } from "./levels.ts";

/** Where a program's logs go. */
export interface LogOptions extends FormatOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes each line. What it throws is swallowed: a log that can't be written stops no run. */
  readonly write: (bytes: Uint8Array) => void | Promise<void>;
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

/** Lines that may wait at most; LogTape drops what comes beyond twice this many. */
const BUFFER = 50_000;

/** How long a line may wait, in milliseconds. */
const FLUSH_EVERY = 50;

/** Sends what is logged on its way, without anyone waiting for it. */
export async function openLogs(options: LogOptions): Promise<OpenLogs> {
  const { level, format, write } = options;
  const inTurn = oneByOne(write);
  const sinkOf = (more: StreamSinkOptions) =>
    getStreamSink(new WritableStream<Uint8Array>({ write: inTurn }), {
      formatter: (record) => formatRecord(format, record, options),
      ...more,
    });
  await configure({
    reset: true,
    sinks: {
      out: sinkOf({ nonBlocking: { bufferSize: BUFFER, flushInterval: FLUSH_EVERY } }),
      audit: sinkOf({}),
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
  return { logger: getLogger(CATEGORY), audit: getLogger([CATEGORY, "audit"]), close: dispose };
}

/** Writes whole lines, though two streams of them come in; a line that can't be written ends neither. */
function oneByOne(write: LogOptions["write"]): (bytes: Uint8Array) => Promise<void> {
  let last = Promise.resolve();
  return (bytes) => last = last.then(() => write(bytes)).catch(() => {});
}
