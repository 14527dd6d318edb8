import type { VNode } from "preact";
import type { WorkflowSummary } from "../../../src/server/operations.ts";
import { listWorkflows } from "../api/api.ts";
import { useRefreshEvery, useResource } from "../api/resource.ts";
import { workflowAddress } from "../router.ts";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { Moment } from "../ui/time.tsx";

/** What can be started here. */
export function WorkflowsPage(): VNode {
  const workflows = useResource("workflows", listWorkflows);
  useRefreshEvery(workflows, 5_000); // a file may have changed
  const { data, error } = workflows;
  return (
    <>
      <div class="page-head">
        <PageTitle name="Workflows" />
      </div>
      {error.value !== null && <Problem error={error.value} onRetry={workflows.refresh} />}
      {data.value === null
        ? error.value === null && <Loading what="workflows" />
        : data.value.length === 0
        ? (
          <Empty title="No workflow is here">
            <p>
              Put a workflow's file into the folder that the server was given with{" "}
              <code>--workflows</code>. It is seen at once.
            </p>
          </Empty>
        )
        : (
          <ul class="cards">
            {data.value.map((one) => (
              <WorkflowCard key={`${one.name} ${one.version}`} workflow={one} />
            ))}
          </ul>
        )}
    </>
  );
}

function WorkflowCard({ workflow }: { readonly workflow: WorkflowSummary }): VNode {
  const { name, version, description, file, startable, problems, schedule } = workflow;
  const address = workflowAddress(name) +
    (version === null ? "" : `?version=${encodeURIComponent(version)}`);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const next = schedule?.next_times[0];
  return (
    <li class="card card-link">
      <h2 class="ellipsis" title={`${name} ${version ?? ""}`.trim()}>
        <a href={address}>{name}</a> {version !== null && <span class="muted">{version}</span>}
      </h2>
      {description !== null && <p dir="auto">{description}</p>}
      <p class="muted id">{file}</p>
      {next !== undefined && (
        <p class="muted">
          Next by schedule: <Moment at={next} />
        </p>
      )}
      {errors > 0 && (
        <p class="badge status-failed">
          <span class="badge-dot" aria-hidden="true" />
          {startable ? "file broken, last good one kept" : "file broken"}
        </p>
      )}
      {errors === 0 && problems.length > 0 && (
        <p class="badge status-needs_attention">
          <span class="badge-dot" aria-hidden="true" />
          {problems.length} {problems.length === 1 ? "warning" : "warnings"}
        </p>
      )}
    </li>
  );
}
