import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { StateIcon } from "../graph/state_icon.tsx";
import { narrow } from "../ui/narrow.ts";
import { duration, now } from "../ui/time.tsx";
import { LOOK_NAMES } from "./looks.ts";
import type { RunModel } from "./run_model.ts";
import type { StepIndex } from "./step_paths.ts";
import { ticksUpTo, type TimelineRow, timelineRows } from "./timeline_rows.ts";

/** Bars that are drawn before the reader asks for more. */
const FIRST = 120;

/** When each step of a run was under way: one bar a step, with its attempts and the pauses between. */
export function Timeline({ model, index, selected, onSelect }: {
  readonly model: RunModel;
  readonly index: StepIndex;
  /** The path of the step that is looked at. */
  readonly selected: string | null;
  readonly onSelect: (path: string) => void;
}): VNode {
  const most = useSignal(FIRST);
  const { startedAt, endedAt, rollbackAt } = model;
  const end = endedAt ?? Math.max(now.value, model.lastAt);
  const rows = timelineRows(model, index, end);
  if (startedAt === null || rows.length === 0) {
    return <p class="empty-note">Nothing has started yet.</p>;
  }
  const length = Math.max(end - startedAt, 1);
  const share = (at: number) => `${((at - startedAt) / length * 100).toFixed(3)}%`;
  const ticks = ticksUpTo(length, narrow.value ? 3 : 6).filter((tick) => tick <= length * 0.92);
  return (
    <div class="timeline">
      <div class="timeline-axis" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick} class="timeline-tick" style={{ left: share(startedAt + tick) }}>
            {duration(tick)}
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
      <ol class="timeline-rows">
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
          onClick={() => most.value += 500}
        >
          Show more of {rows.length} steps
        </button>
      )}
      <p class="legend" aria-hidden="true">
        <span class="segment seg-attempt" /> attempt
        <span class="segment seg-failed_attempt" /> failed attempt
        <span class="segment seg-backoff" /> pause
        <span class="segment seg-wait" /> waits
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
  const isLate = Number.parseFloat(share(to)) > 80;
  const isWide = isLate && Number.parseFloat(share(from)) < 20;
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
          <span class="ellipsis">{label}</span>
          <span class="visually-hidden">
            : {LOOK_NAMES[look]}, after {duration(from - start)}, took
          </span>
        </span>
        <span class="timeline-track">
          {segments.map((segment) => (
            <span
              key={`${segment.kind}${segment.from}`}
              class={`segment seg-${segment.kind} look-${state}`}
              title={segment.title}
              style={{ left: share(segment.from), width: share(start + segment.to - segment.from) }}
            />
          ))}
          <span
            class={`timeline-took ${isWide ? "is-inside" : ""}`}
            style={isWide
              ? { right: "0" }
              : isLate
              ? { right: `calc(100% - ${share(from)})` }
              : { left: share(to) }}
          >
            {took}
          </span>
        </span>
      </button>
    </li>
  );
}
