import type { LogRecord } from "@logtape/logtape";
import { fromLogTape, type LogLevel } from "./levels.ts";

/** How lines of a log look: for people, or one JSON object each. */
export type LogFormat = "pretty" | "json";

/** Every format. */
export const LOG_FORMATS: readonly LogFormat[] = ["pretty", "json"];

/** What a formatter is made with. */
export interface FormatOptions {
  /** Takes secrets out of a text. */
  readonly mask: (text: string) => string;
  /** Paints a level; left out: no colour. */
  readonly paint?: (level: LogLevel, text: string) => string;
}

/** A record as one line that ends with a line break. */
export function formatRecord(format: LogFormat, record: LogRecord, options: FormatOptions): string {
  return format === "json" ? jsonLine(record, options) : prettyLine(record, options);
}

function jsonLine(
  { timestamp, level, message, properties }: LogRecord,
  { mask }: FormatOptions,
): string {
  const line: Record<string, unknown> = {
    time: new Date(timestamp).toISOString(),
    level: fromLogTape(level),
    message: mask(message.join("")),
  };
  for (const name in properties) line[name] = masked(properties[name], mask);
  return `${JSON.stringify(line)}\n`;
}

/** Most values are plain: a walk through each line would cost as much as all the rest of it. */
function masked(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  if (typeof value !== "object" || value === null) return value;
  const deep = (_: string, part: unknown) => typeof part === "string" ? mask(part) : part;
  return JSON.parse(JSON.stringify(value, deep));
}

/** The same on every line of a run, so a reader wants it last. */
const CONTEXT: ReadonlySet<string> = new Set(["workflow", "run_id", "correlation_id"]);

function prettyLine(record: LogRecord, { mask, paint }: FormatOptions): string {
  const level = fromLogTape(record.level);
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const label = level.toUpperCase().padEnd(5);
  const own = Object.entries(record.properties)
    .filter(([name]) => !CONTEXT.has(name) && name !== "trace_id"); // which is for machines to find
  const context = Object.entries(record.properties).filter(([name]) => CONTEXT.has(name));
  const fields = [...own, ...context].map(([name, value]) => `${name}=${mask(fieldText(value))}`);
  const said = [record.message.join("").padEnd(24), ...fields].join(" ").trimEnd();
  return `${time} ${paint ? paint(level, label) : label} ${said}\n`;
}

/** Bare where that can't be misread, else as JSON: so that no value breaks its line or a terminal. */
function fieldText(value: unknown): string {
  if (typeof value === "string" && /^[\w.:/@+,[\]-]+$/.test(value)) return value;
  return JSON.stringify(value)
    // JSON leaves DEL and C1 controls, of which terminals make something
    .replaceAll(
      /[\u007f-\u009f]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}
