/** Milliseconds as people read them: `41ms`, `1.2s`, `12s`, `2m03s`, `1h02m`. */
export function formatTime(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms}ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** What terminals obey, and what turns the direction of writing. */
// deno-lint-ignore no-control-regex -- these are what it is about
const STEERING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text from outside on one line, without anything that a terminal would obey: a service's
 * message must not move the cursor or change a title.
 */
export function printable(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ").replaceAll("\t", " ")
    .replaceAll(STEERING, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Cut to a width, the cut marked. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? "" : `${text.slice(0, width - 1)}…`;
}

/** `1 step`, `2 steps`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A time of day as clocks here show it, with its date where that is not near. */
export function clockTime(at: number, now: number): string {
  const date = new Date(at);
  const clock = date.toTimeString().slice(0, 8);
  if (Math.abs(at - now) < 86_400_000) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

/** A moment for those who may be elsewhere: `12:30:00Z`, with its date where that is not near. */
export function utcTime(at: number, now: number): string {
  const text = `${new Date(at).toISOString().slice(0, 19)}Z`;
  return Math.abs(at - now) < 86_400_000 ? text.slice(11) : text;
}
