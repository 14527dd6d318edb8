import type { VNode } from "preact";
import type { RunStatus } from "../../../src/engine/report.ts";

/** How runs stand, in the order in which they want to be seen. */
export const STATUSES: readonly RunStatus[] = [
  "needs_attention",
  "running",
  "compensating",
  "completed",
  "failed",
  "compensated",
  "cancelled",
  "timed_out",
  "incomplete",
];

/** What a run's status is called. */
export function statusName(status: RunStatus): string {
  return status.replaceAll("_", " ");
}

/** A run's status. */
export function StatusBadge({ status }: { readonly status: RunStatus }): VNode {
  return (
    <span class={`badge status-${status}`}>
      <span class="badge-dot" aria-hidden="true" />
      {statusName(status)}
    </span>
  );
}
