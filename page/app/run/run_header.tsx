import type { VNode } from "preact";
import type { RunReport } from "../../../src/engine/report.ts";
import { runAddress, workflowAddress } from "../router.ts";
import { CopyButton } from "../ui/json_view.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { StatusBadge, statusName } from "../ui/status_badge.tsx";
import { Elapsed, Moment, MomentAndAge } from "../ui/time.tsx";
import { RunActions } from "./run_actions.tsx";

/** Which run it is, where it stands, and what can be done with it. */
export function RunHeader({ report, signals, onDone }: {
  readonly report: RunReport;
  readonly signals: readonly string[];
  readonly onDone: () => void;
}): VNode {
  const { run_id, workflow, version, status, correlation_id, started_at, finished_at } = report;
  const parent = run_id.includes("/") ? run_id.slice(0, run_id.lastIndexOf("/")) : null;
  return (
    <header class="run-head">
      <nav class="crumbs" aria-label="Where this is">
        <a href="/runs">Runs</a>
        {parent !== null && <a class="id" href={runAddress(parent)}>{parent}</a>}
      </nav>
      <div class="page-head">
        <PageTitle name={`${workflow} ${run_id}`}>
          {workflow} {version !== null && <span class="muted">{version}</span>}
        </PageTitle>
        <span role="status" class="run-status">
          <StatusBadge status={status} />
          <span class="visually-hidden">The run is {statusName(status)}</span>
        </span>
        <RunActions report={report} signals={signals} onDone={onDone} />
      </div>
      <dl class="facts facts-line">
        <div>
          <dt>Run</dt>
          <dd>
            <span class="id">{run_id}</span> <CopyButton text={run_id} what="the run's id" />
          </dd>
        </div>
        {correlation_id !== run_id && (
          <div>
            <dt>Correlation</dt>
            <dd>
              <a class="id" href={`/runs?text=${encodeURIComponent(correlation_id)}`}>
                {correlation_id}
              </a>
            </dd>
          </div>
        )}
        <div>
          <dt>Started</dt>
          <dd>
            <MomentAndAge at={started_at} />
          </dd>
        </div>
        {finished_at !== null && (
          <div>
            <dt>Ended</dt>
            <dd>
              <Moment at={finished_at} />
            </dd>
          </div>
        )}
        <div>
          <dt>Duration</dt>
          <dd>
            <Elapsed from={started_at} to={finished_at} />
          </dd>
        </div>
        <div>
          <dt>Workflow</dt>
          <dd>
            <a href={workflowAddress(workflow)}>Definition</a>
          </dd>
        </div>
      </dl>
    </header>
  );
}
