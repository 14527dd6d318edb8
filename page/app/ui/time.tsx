import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { ago, duration } from "./duration.ts";

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

/** A moment in words as well: how long ago it was, or how soon it will be. */
export function MomentAndAge({ at }: { readonly at: string }): VNode {
  return (
    <span class="moment">
      <Moment at={at} /> <span class="muted">{ago(Date.parse(at), now.value)}</span>
    </span>
  );
}

/** From a moment until another, or until now where there is none yet. */
export function Elapsed({ from, to }: {
  readonly from: string;
  readonly to: string | null;
}): VNode {
  const end = to === null ? now.value : Date.parse(to);
  return <span class="number">{duration(end - Date.parse(from))}</span>;
}
