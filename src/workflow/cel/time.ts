/**
 * Points in time and durations. In UTC where no zone is given, never in the machine's own zone.
 *
 * @module
 */
import { create, fromJson } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import {
  type Duration,
  DurationSchema,
  type Timestamp,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { wrong } from "./fault.ts";
import { isTime, type Item } from "./item.ts";

const SECOND = 1_000_000_000n;
/** 0001-01-01 to 9999-12-31, which is what RFC 3339 can say. */
const [FIRST, LAST] = [-62_135_596_800n * SECOND, 253_402_300_800n * SECOND - 1n];
const LONGEST = 2n ** 63n - 1n;

/** A time or duration in nanoseconds; `undefined` for all else. */
export function nanosOf(
  item: Item,
): { readonly kind: "time" | "duration"; readonly nanos: bigint } | undefined {
  if (!isTime(item)) return undefined;
  const { seconds, nanos } = item.message as Timestamp | Duration; // these two have the same fields
  const kind = item.desc.typeName === DurationSchema.typeName ? "duration" : "time";
  return { kind, nanos: seconds * SECOND + BigInt(nanos) };
}

/** A point in time, in nanoseconds since 1970. @throws {Fault} outside the years 1 to 9999 */
export function timeAt(nanos: bigint): ReflectMessage {
  if (nanos < FIRST || nanos > LAST) throw wrong("the time is outside the years 1 to 9999");
  const rest = ((nanos % SECOND) + SECOND) % SECOND;
  return reflect(
    TimestampSchema,
    create(TimestampSchema, { seconds: (nanos - rest) / SECOND, nanos: Number(rest) }),
  );
}

/** A duration of so many nanoseconds. @throws {Fault} beyond 292 years */
export function durationOf(nanos: bigint): ReflectMessage {
  if (nanos < -LONGEST || nanos > LONGEST) throw wrong("the duration is longer than 292 years");
  return reflect(
    DurationSchema,
    create(DurationSchema, { seconds: nanos / SECOND, nanos: Number(nanos % SECOND) }),
  );
}

/** An RFC 3339 text as a time. @throws {Fault} */
export function parseTime(text: string): ReflectMessage {
  try {
    return reflect(TimestampSchema, fromJson(TimestampSchema, text));
  } catch {
    throw wrong("timestamp() needs an RFC 3339 time, such as '2026-01-31T09:30:00Z'");
  }
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  "µs": 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

/** A text such as `1h30m` or `-1.5s` as a duration. @throws {Fault} */
export function parseDuration(text: string): ReflectMessage {
  const [, sign, parts = ""] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)$/
    .exec(text.slice(0, 128)) ?? [];
  if (parts === "") throw wrong("duration() needs a text such as '1h30m' or '1.5s'");
  let nanos = 0n;
  for (const [, whole, fraction = "", unit = "s"] of parts.matchAll(/(\d*)\.?(\d*)([a-zµ]+)/g)) {
    const factor = UNITS[unit] ?? 0n;
    nanos += BigInt(whole || "0") * factor +
      BigInt(fraction || "0") * factor / 10n ** BigInt(fraction.length);
  }
  return durationOf(sign === "-" ? -nanos : nanos);
}

/** Sums and differences; `undefined` where they make no sense. */
export function calculateTime(operator: "+" | "-", left: Item, right: Item): Item | undefined {
  const [l, r] = [nanosOf(left), nanosOf(right)];
  if (l === undefined || r === undefined) return undefined;
  const nanos = operator === "+" ? l.nanos + r.nanos : l.nanos - r.nanos;
  if (l.kind === r.kind) {
    return l.kind === "time" && operator === "+" ? undefined : durationOf(nanos);
  }
  return l.kind === "duration" && operator === "-" ? undefined : timeAt(nanos);
}

/** What can be asked of a time, by CEL's method; the months and days of CEL count from 0. */
const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - startOfYear(date)) / 86_400_000),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
};

const DURATION_PARTS: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / (3600n * SECOND),
  getMinutes: (nanos) => nanos / (60n * SECOND),
  getSeconds: (nanos) => nanos / SECOND,
  getMilliseconds: (nanos) => nanos % SECOND / 1_000_000n,
};

/** The names of all methods that ask for a part. */
export const TIME_PARTS: readonly string[] = Object.keys(PARTS);

/** A part of a time, as seen in a zone (`Europe/Berlin`, `+02:00`; left out: UTC), or of a duration. */
export function timePart(name: string, item: Item, zone: string | undefined): bigint {
  const time = nanosOf(item);
  if (time?.kind === "duration") {
    const part = zone === undefined ? DURATION_PARTS[name] : undefined;
    if (part === undefined) throw wrong(`${name}() is not for durations`);
    return part(time.nanos);
  }
  const part = PARTS[name];
  if (time === undefined || part === undefined) throw wrong(`${name}() needs a timestamp`);
  const milliseconds = Number(
    (time.nanos - (((time.nanos % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n,
  );
  return BigInt(part(new Date(milliseconds + offsetOf(zone, milliseconds))));
}

function startOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear());
  return start.getTime();
}

/** How far a zone's clocks are ahead of UTC at that time, in milliseconds. */
function offsetOf(zone: string | undefined, milliseconds: number): number {
  if (zone === undefined || zone === "UTC") return 0;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const offset = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000;
    return fixed[1] === "-" ? -offset : offset;
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(milliseconds)) {
    parts[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return local.getTime() - Math.floor(milliseconds / 1000) * 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      throw wrong("the time zone is not known; write one such as 'Europe/Berlin' or '+02:00'");
    }
    if (formats.size < 1000) formats.set(zone, format);
  }
  return format;
}
