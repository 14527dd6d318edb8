import type { VNode } from "preact";
import type { RunStatus } from "../../../src/engine/report.ts";
import { withQuery } from "../router.ts";
import { STATUSES, statusName } from "../ui/status_badge.tsx";

const number = new Intl.NumberFormat();

/** How many runs stand how; each one is a filter. */
export function StatusFilter({ counts, selected }: {
  /** `null`: not known yet. */
  readonly counts: Readonly<Partial<Record<RunStatus, number>>> | null;
  readonly selected: RunStatus | null;
}): VNode {
  const total = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  return (
    <nav class="status-filter" aria-label="Runs by status">
      <Chip name="all" status={null} count={counts === null ? null : total} selected={selected} />
      {STATUSES.map((status) => (
        <Chip
          key={status}
          name={statusName(status)}
          status={status}
          count={counts === null ? null : counts[status] ?? 0}
          selected={selected}
        />
      ))}
    </nav>
  );
}

function Chip({ name, status, count, selected }: {
  readonly name: string;
  readonly status: RunStatus | null;
  readonly count: number | null;
  readonly selected: RunStatus | null;
}): VNode {
  return (
    <a
      class={`chip ${status === null ? "" : `status-${status}`} ${count === 0 ? "is-none" : ""}`}
      href={withQuery({ status, page_token: null })}
      aria-current={status === selected ? "true" : undefined}
    >
      {status !== null && <span class="badge-dot" aria-hidden="true" />}
      {name} <span class="chip-count number">{count === null ? "–" : number.format(count)}</span>
    </a>
  );
}
