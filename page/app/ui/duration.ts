/** A length of time as people say it; `null`: unknown. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null || Number.isNaN(milliseconds)) return "–";
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 9_995) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return inTwo(seconds, 60, "min", "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 48 * 60) return inTwo(minutes, 60, "h", "min");
  return inTwo(Math.floor(minutes / 60), 24, "d", "h");
}

/** A round length of time, in as few characters as there can be. */
export function roundDuration(milliseconds: number): string {
  if (milliseconds >= 60_000) return duration(milliseconds);
  return milliseconds < 1_000 ? `${milliseconds} ms` : `${milliseconds / 1_000} s`;
}

function inTwo(count: number, size: number, large: string, small: string): string {
  const rest = count % size;
  return `${Math.floor(count / size)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

const relative = new Intl.RelativeTimeFormat(undefined, { style: "short" });

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** How far a moment is from another, in the reader's words. */
export function ago(at: number, from: number): string {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(at - from) >= size) ?? ["second", 1_000];
  return relative.format(Math.trunc((at - from) / size), unit);
}
