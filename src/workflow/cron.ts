/**
 * When a schedule is due: cron expressions in a time zone, as pure functions of the moment.
 *
 * @module
 */
import { Cron } from "croner";
import type { Schedule } from "./model.ts";

/** Moments are looked for from here, where it is only asked whether there is one: long enough ago, a leap year. */
const BEGINNING = new Date(Date.UTC(2000, 0, 1));

/** More times of day than this are no times of day: every minute, say. */
const MOST_TIMES = 100;

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
 * A time of day that the clocks jump over comes when they have jumped, and one that they show twice comes
 * the first time. Where minutes or hours are every so many, all goes by what the clocks show.
 */
export function nextMoment(times: Times, after: number): number | null {
  return nextOf(cronsOf(times), after);
}

/** So many of the next moments. */
export function nextMoments(times: Times, after: number, count: number): readonly number[] {
  const crons = cronsOf(times);
  const moments: number[] = [];
  for (let last: number | null = after; moments.length < count;) {
    last = nextOf(crons, last);
    if (last === null) break;
    moments.push(last);
  }
  return moments;
}

function nextOf(crons: readonly Cron[], after: number): number | null {
  const moments = crons.flatMap((cron) => cron.nextRun(new Date(after))?.getTime() ?? []);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** The last moment at or before another; `null`: there was none. */
export function lastMoment(times: Times, at: number): number | null {
  const before = new Date(at + 1); // croner looks for what is before a moment
  const moments = cronsOf(times).flatMap((cron) =>
    cron.previousRuns(1, before)[0]?.getTime() ?? []
  );
  return moments.length === 0 ? null : Math.max(...moments);
}

/** One for each time of day: croner (11.0) does right by the night in which the clocks change with one alone. */
function cronsOf({ cron, timezone }: Times): readonly Cron[] {
  return timesOfDay(cron).map((one) => cronOf({ cron: one, timezone }));
}

/** An expression for each time of day that one names; the expression itself where it names none, or too many. */
function timesOfDay(cron: string): readonly string[] {
  const fields = cron.trim().split(/\s+/);
  const rest = fields.splice(-3);
  const [hours, minutes, second] = fields.toReversed().map(numbersOf);
  if (!hours || !minutes || second === null) return [cron];
  if (hours.length * minutes.length > MOST_TIMES) return [cron];
  const seconds = fields.length === 3 ? `${fields[0]} ` : "";
  return hours.flatMap((hour) =>
    minutes.map((minute) => `${seconds}${minute} ${hour} ${rest.join(" ")}`)
  );
}

/** The numbers of a list such as `2,9-17`; `null` where a field says something else. */
function numbersOf(field: string): readonly number[] | null {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(field)) return null;
  return field.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** @throws where the text is no cron expression */
function cronOf({ cron, timezone }: Times): Cron {
  return new Cron(cron, { timezone, paused: true, mode: "5-or-6-parts" });
}
