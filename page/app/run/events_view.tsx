import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { JsonValue } from "../api/json.ts";
import { go, here, withQuery } from "../router.ts";
import { JsonView } from "../ui/json_view.tsx";
import { duration } from "../ui/duration.ts";
import type { RunEvent, RunModel } from "./run_model.ts";

const FIRST = 200;

/** What has happened in a run, the last first. */
export function EventsView({ model }: { readonly model: RunModel }): VNode {
  const most = useSignal(FIRST);
  const text = here.value.query.get("events") ?? "";
  const wanted = text.trim().toLowerCase();
  const events = model.events.filter((event) =>
    wanted === "" ||
    `${event.kind} ${nameOf(event)} ${event.path ?? ""}`.toLowerCase().includes(wanted)
  ).reverse();
  return (
    <div class="events">
      <label class="field">
        <span class="field-label">Only events with</span>
        <input
          type="search"
          placeholder="A kind or a step, such as attempt_ended"
          value={text}
          onInput={({ currentTarget }) => go(withQuery({ events: currentTarget.value }), "replace")}
        />
      </label>
      {events.length === 0 && <p class="empty-note">No event fits.</p>}
      <ol class="event-list">
        {events.slice(0, most.value).map((event) => (
          <Event key={event.seq} event={event} startedAt={model.startedAt ?? 0} />
        ))}
      </ol>
      {events.length > most.value && (
        <button
          type="button"
          class="link-button"
          onClick={() => most.value += 1_000}
        >
          Show more of {events.length} events
        </button>
      )}
    </div>
  );
}

function Event({ event, startedAt }: {
  readonly event: RunEvent;
  readonly startedAt: number;
}): VNode {
  const isOpen = useSignal(false);
  const { seq, at, path, op } = event;
  const after = at === undefined ? "" : `+${duration(Date.parse(at) - startedAt)}`;
  return (
    <li>
      <details onToggle={({ currentTarget }) => isOpen.value = currentTarget.open}>
        <summary>
          <span class="event-seq number">{seq}</span>
          <span class="event-at number">{after}</span>
          <span class="event-kind">{nameOf(event)}</span>
          <span class="event-path ellipsis">
            {op !== undefined && op !== "action" ? `${op} ` : ""}
            {path || ""} {wordOf(event)}
          </span>
        </summary>
        {isOpen.value && <JsonView value={event as JsonValue} label={`Event ${seq}`} />}
      </details>
    </li>
  );
}

/** Its kind, as it is read. */
function nameOf({ kind }: RunEvent): string {
  return kind.replaceAll("_", " ");
}

/** What is worth knowing of an event without opening it. */
function wordOf(event: RunEvent): string {
  const word = event["code"] ?? event["status"] ?? event["name"] ?? event["reason"] ??
    event["attempt"];
  return typeof word === "string" ? word : typeof word === "number" ? `#${word}` : "";
}
