/**
 * When a schedule is due: cron expressions in a time zone, as pure functions of the moment.
 *
 * @module
 */
import { Cron } from "croner";
import type { Schedule } from "./model.ts";

/** Moments are looked for from here, where it is only asked whether there is one: long enough ago, a leap year. */
const BEGINNING = new Date(Date.UTC(2000, 0, 1));

/** What tells when. */
type Times = Pick<Schedule, "cron" | "timezone">;

/** Why a text is no cron expression; `null`: it is one. */
export function cronProblem(cron: string): string | null {
  // croner also takes a moment for a pattern, and times of which a calendar knows nothing.
  if (/^\d{4}-/.test(cron.trim())) return "that is a moment";
  if (/^\s*@reboot\s*$/i.test(cron)) return "a moment has to be told by the clock";
  try {
    cronOf({ cron, timezone: "UTC" });
    return null;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (/parts/.test(message)) return "it has five parts, or six with the seconds before them";
    return message.replace(/^CronPattern: /, "").replace(/\.$/, "")
      .replace(/(?<=value for (?:day|month): )-?\d+/, (value) => String(Number(value) + 1)); // croner counts these from 0
  }
}

/** Whether a cron expression is ever due: the 30th of February never comes. */
export function everDue(cron: string): boolean {
  return cronOf({ cron, timezone: "UTC" }).nextRun(BEGINNING) !== null;
}

/** Whether this machine knows a time zone of that name. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false; // an offset is not what people live by
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * The first moment after another, both in milliseconds since the epoch; `null`: there is none.
 *
 * With one minute and one hour, a time of day that the clocks jump over comes when they have jumped, and
 * one that they show twice comes the first time. With several it goes by what the clocks show.
 */
export function nextMoment(times: Times, after: number): number | null {
  return cronOf(times).nextRun(new Date(after))?.getTime() ?? null;
}

/** So many of the next moments. */
export function nextMoments(times: Times, after: number, count: number): readonly number[] {
  return cronOf(times).nextRuns(count, new Date(after)).map((moment) => moment.getTime());
}

/** The last moment at or before another; `null`: there was none. */
export function lastMoment(times: Times, at: number): number | null {
  // croner looks for what is before a moment.
  return cronOf(times).previousRuns(1, new Date(at + 1))[0]?.getTime() ?? null;
}

/** @throws where the text is no cron expression */
function cronOf({ cron, timezone }: Times): Cron {
  return new Cron(cron, { timezone, paused: true, mode: "5-or-6-parts" });
}
