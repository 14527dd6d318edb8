import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { StateIcon } from "../graph/state_icon.tsx";
import { go, here, withQuery } from "../router.ts";
import { Loading } from "../ui/notices.tsx";
import { narrow } from "../ui/narrow.ts";
import { duration, roundDuration } from "../ui/duration.ts";
import { now } from "../ui/time.tsx";
import { LOOK_NAMES } from "./looks.ts";
import type { RunModel } from "./run_model.ts";
import type { StepIndex } from "./step_paths.ts";
import { ticksUpTo, type TimelineRow, timelineRows } from "./timeline_rows.ts";

/** Bars that are drawn before the reader asks for more. */
const FIRST = 120;
const MORE = 500;

/** When each step of a run was under way: one bar a step, with its attempts and the pauses between. */
export function Timeline({ model, index, selected, onSelect }: {
  readonly model: RunModel;
  readonly index: StepIndex;
  /** The path of the step that is looked at. */
  readonly selected: string | null;
  readonly onSelect: (path: string) => void;
}): VNode {
  const most = useSignal(FIRST);
  const text = here.value.query.get("steps") ?? "";
  const { startedAt, endedAt, rollbackAt } = model;
  const end = endedAt ?? Math.max(now.value, model.lastAt);
  const all = timelineRows(model, index, end);
  if (startedAt === null) return <Loading what="what has happened" />;
  if (all.length === 0) {
    return <p class="empty-note">Nothing has started yet.</p>;
  }
  const wanted = text.trim().toLowerCase();
  const rows = wanted === ""
    ? all
    : all.filter(({ label, look }) =>
      `${label} ${LOOK_NAMES[look]}`.toLowerCase().includes(wanted)
    );
  const length = Math.max(end - startedAt, 1);
  const share = (at: number) => `${((at - startedAt) / length * 100).toFixed(3)}%`;
  const ticks = ticksUpTo(length, narrow.value ? 3 : 6).filter((tick) =>
    tick <= length * (narrow.value ? 0.84 : 0.92)
  );
  return (
    <div class="timeline">
      {all.length > FIRST && (
        <label class="field">
          <span class="field-label">Only steps with</span>
          <input
            type="search"
            placeholder="A part of a path, or a state such as failed"
            value={text}
            onInput={({ currentTarget }) =>
              go(withQuery({ steps: currentTarget.value }), "replace")}
          />
        </label>
      )}
      <div class="timeline-axis" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick} class="timeline-tick" style={{ left: share(startedAt + tick) }}>
            {roundDuration(tick)}
          </span>
        ))}
        {rollbackAt !== null && (
          <span
            class="timeline-rollback"
            style={{ left: share(rollbackAt), width: share(startedAt + end - rollbackAt) }}
            title="Rolls back"
          />
        )}
      </div>
      {rows.length === 0 && <p class="empty-note">No step fits.</p>}
      <ol class="timeline-rows">
        <li class="timeline-grid" aria-hidden="true">
          {ticks.map((tick) => <span key={tick} style={{ left: share(startedAt + tick) }} />)}
        </li>
        {rows.slice(0, most.value).map((row) => (
          <Bar
            key={row.key}
            row={row}
            share={share}
            start={startedAt}
            isSelected={row.path === selected}
            onSelect={onSelect}
          />
        ))}
      </ol>
      {rows.length > most.value && (
        <button
          type="button"
          class="link-button"
          onClick={() => most.value += MORE}
        >
          Show {Math.min(MORE, rows.length - most.value)} more of {rows.length} steps
        </button>
      )}
      <p class="legend" aria-hidden="true">
        <span class="segment seg-attempt look-running" /> under way
        <span class="segment seg-attempt look-completed" /> done
        <span class="segment seg-failed_attempt" /> failed attempt
        <span class="segment seg-backoff" /> pause
        <span class="segment seg-wait" /> waits
        <span class="segment seg-attempt look-undone" /> undoes
      </p>
    </div>
  );
}

function Bar({ row, share, start, isSelected, onSelect }: {
  readonly row: TimelineRow;
  readonly share: (at: number) => string;
  readonly start: number;
  readonly isSelected: boolean;
  readonly onSelect: (path: string) => void;
}): VNode {
  const { path, label, look, state, from, to, segments, isBlock, isUndo } = row;
  const took = duration(to - from);
  const place = placeOfTook(Number.parseFloat(share(from)), Number.parseFloat(share(to)));
  return (
    <li>
      <button
        type="button"
        class={`timeline-row ${isBlock ? "is-block" : ""} ${isUndo ? "is-undo" : ""}`}
        aria-pressed={isSelected}
        onClick={() => onSelect(path)}
      >
        <span class="timeline-name" title={label}>
          <StateIcon look={look} />
          <Path text={label} />
          <span class="visually-hidden">
            {label}: {LOOK_NAMES[look]}, after {duration(from - start)}, took
          </span>
        </span>
        <span class="timeline-track">
          {segments.map((segment) => (
            <span
              key={`${segment.kind}${segment.from}`}
              class={`segment seg-${segment.kind} look-${state}`}
              title={segment.title}
              style={{
                left: `min(${share(segment.from)}, 100% - 3px)`,
                width: share(start + segment.to - segment.from),
              }}
            />
          ))}
          <span
            class={`timeline-took ${place === "inside" ? "is-inside" : ""}`}
            style={place === "after"
              ? { left: share(to) }
              : { right: `calc(100% - ${share(place === "inside" ? to : from)})` }}
          >
            {took}
          </span>
        </span>
      </button>
    </li>
  );
}

/** Where there is room for the words beside a bar, from how many of a hundred parts it begins and ends at. */
function placeOfTook(from: number, to: number): "after" | "before" | "inside" {
  const room = narrow.value ? 22 : 12;
  if (to <= 100 - room) return "after";
  return from >= room ? "before" : "inside";
}

/** A path of which the end is seen, however little room there is; it is heard as a whole. */
function Path({ text }: { readonly text: string }): VNode {
  const cut = text.lastIndexOf(".") + 1;
  return (
    <span class="path" aria-hidden="true">
      <span class="path-lead">{text.slice(0, cut)}</span>
      <span class="path-end">{text.slice(cut)}</span>
    </span>
  );
}
