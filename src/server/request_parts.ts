/**
 * What the parts of requests mean, whichever API they came by.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { parseDuration } from "../workflow/durations.ts";
import { isTraceparent } from "./traceparent.ts";

/** @param least in milliseconds @throws {MaestroError} `USAGE` */
export function durationOf(name: string, text: string, least: number): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null && milliseconds >= least) return milliseconds;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${JSON.stringify(text)} as "${name}": write a duration, such as 30s, 12h or 30d`,
  );
}

/** @throws {MaestroError} `USAGE` */
export function timeOf(name: string, text: string): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isTime && isDay(text.slice(0, 10)) ? Date.parse(text) : NaN;
  if (!Number.isNaN(time)) return time;
  throw new MaestroError(
    "USAGE",
    `Cannot use ${JSON.stringify(text)} as "${name}": write a time, such as 2026-01-31T12:00:00Z`,
  );
}

/** Whether there is a day of that date: JavaScript takes the 31st of February for one in March. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

/** @throws {MaestroError} `USAGE` */
export function traceparentOf(text: string): string {
  if (isTraceparent(text)) return text;
  throw new MaestroError("USAGE", `Cannot use ${JSON.stringify(text)} as "traceparent"`);
}
