import { signal } from "@preact/signals";
import type { VNode } from "preact";

/** The present moment, in milliseconds since the epoch; it moves on while the page can be seen. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 500);

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** A moment, as RFC 3339, in the reader's own time and words. */
export function Moment({ at }: { readonly at: string }): VNode {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date(now.value).toDateString();
  return (
    <time dateTime={at} title={`${day.format(date)} (${at})`}>
      {(isToday ? clock : short).format(date)}
    </time>
  );
}

/** A length of time as people say it; `null`: unknown. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null || Number.isNaN(milliseconds)) return "–";
  const ms = Math.max(0, milliseconds);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round(ms % 60_000 / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** From a moment until another, or until now where there is none yet. */
export function Elapsed({ from, to }: {
  readonly from: string;
  readonly to: string | null;
}): VNode {
  const end = to === null ? now.value : Date.parse(to);
  return <span class="number">{duration(end - Date.parse(from))}</span>;
}
