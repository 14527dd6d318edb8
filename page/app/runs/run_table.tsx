import type { VNode } from "preact";
import type { RunSummaryJson } from "../../../src/server/operations.ts";
import { runAddress } from "../router.ts";
import { StatusBadge } from "../ui/status_badge.tsx";
import { Elapsed, MomentAndAge } from "../ui/time.tsx";

/** A page of runs. */
export function RunTable({ runs, isStale = false }: {
  readonly runs: readonly RunSummaryJson[];
  /** Others are on their way. */
  readonly isStale?: boolean;
}): VNode {
  return (
    <table class={`list ${isStale ? "is-stale" : ""}`} aria-busy={isStale}>
      <caption class="visually-hidden">Runs, the newest first</caption>
      <thead>
        <tr>
          <th scope="col" class="list-status">Status</th>
          <th scope="col">Workflow</th>
          <th scope="col">Run</th>
          <th scope="col" class="list-started">Started</th>
          <th scope="col" class="list-duration number">Duration</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => <Row key={run.run_id} run={run} />)}
      </tbody>
    </table>
  );
}

function Row({ run }: { readonly run: RunSummaryJson }): VNode {
  const { run_id, workflow, version, correlation_id, status, started_at, finished_at } = run;
  return (
    <tr>
      <td data-label="Status">
        <StatusBadge status={status} />
      </td>
      <td data-label="Workflow" class="list-main" title={`${workflow} ${version ?? ""}`.trim()}>
        {workflow} {version !== null && <span class="muted">{version}</span>}
      </td>
      <td data-label="Run">
        <a class="row-link id" href={runAddress(run_id)} title={run_id}>{run_id}</a>
        {correlation_id !== run_id && (
          <span class="id muted correlation" title={`Correlation id ${correlation_id}`}>
            <span class="visually-hidden">correlation id</span> {correlation_id}
          </span>
        )}
      </td>
      <td data-label="Started">
        <MomentAndAge at={started_at} />
      </td>
      <td data-label="Duration" class="number">
        <Elapsed from={started_at} to={finished_at} />
      </td>
    </tr>
  );
}
