import type { VNode } from "preact";
import type { ScheduleView, WorkflowDetail } from "../../../src/server/operations.ts";
import { getWorkflow } from "../api/api.ts";
import { useResource } from "../api/resource.ts";
import { Graph } from "../graph/graph.tsx";
import { StepDefinition } from "../graph/step_definition.tsx";
import { indexSteps } from "../run/step_paths.ts";
import { go, here, withQuery } from "../router.ts";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { panelOf, tabOf, Tabs } from "../ui/tabs.tsx";
import { Moment } from "../ui/time.tsx";
import { DefinitionText } from "./definition_text.tsx";
import { ProblemList } from "./problem_list.tsx";
import { StartForm } from "./start_form.tsx";

const TABS = [
  { name: "graph", title: "Graph" },
  { name: "definition", title: "Definition" },
  { name: "start", title: "Start" },
] as const;

/** One workflow: its graph, its text, and a form to start it. */
export function WorkflowPage({ name }: { readonly name: string }): VNode {
  const version = here.value.query.get("version");
  const workflow = useResource(
    `workflow ${name} ${version}`,
    (signal) => getWorkflow(name, version, signal),
  );
  const { data, error } = workflow;
  const crumbs = (
    <nav class="crumbs" aria-label="Where this is">
      <a href="/workflows">Workflows</a>
    </nav>
  );
  if (data.value === null) {
    return (
      <>
        {crumbs}
        <PageTitle name={name} />
        {error.value === null
          ? <Loading what="the workflow" />
          : error.value.status === 404
          ? (
            <Empty title="There is no such workflow">
              <a class="button" href="/workflows">Show all workflows</a>
            </Empty>
          )
          : <Problem error={error.value} onRetry={workflow.refresh} />}
      </>
    );
  }
  return (
    <>
      {crumbs}
      <Detail workflow={data.value} />
    </>
  );
}

function Detail({ workflow }: { readonly workflow: WorkflowDetail }): VNode {
  const { name, version, description, startable, problems, schedule, steps, text } = workflow;
  const tab = tabOf("view", ["graph", "definition", "start"]);
  const path = here.value.query.get("step");
  const selected = path === null ? null : indexSteps(steps).get(path) ?? null;
  return (
    <>
      <div class="page-head">
        <PageTitle name={name}>
          {name} {version !== null && <span class="muted">{version}</span>}
        </PageTitle>
        <div class="run-actions">
          <a class="button" href={`/runs?workflow=${encodeURIComponent(name)}`}>Its runs</a>
          {startable && tab !== "start" && (
            <a class="button button-primary" href={withQuery({ view: "start" })}>Start a run</a>
          )}
        </div>
      </div>
      {description !== null && <p class="lead" dir="auto">{description}</p>}
      {schedule !== null && <Schedule schedule={schedule} />}
      {problems.length > 0 && <ProblemList problems={problems} startable={startable} />}
      <section class="card">
        <Tabs label="Views of the workflow" name="view" tabs={TABS} selected={tab} />
        <div {...panelOf("view", tab)}>
          {tab === "graph" && (
            <>
              <Graph
                steps={steps}
                statusOf={null}
                selected={selected?.path ?? null}
                onSelect={(step) =>
                  go(withQuery({ step: step.path === path ? null : step.path }), "replace")}
                label="Graph of the workflow's steps"
              />
              {selected === null
                ? <p class="muted">Choose a step to see what it does.</p>
                : (
                  <section class="details-part" aria-label={`Step ${selected.path}`}>
                    <h2 class="code">{selected.path}</h2>
                    <StepDefinition step={selected} />
                  </section>
                )}
            </>
          )}
          {tab === "definition" && <DefinitionText text={text} />}
          {tab === "start" && (startable
            ? <StartForm key={`${name} ${version}`} workflow={workflow} />
            : <p class="empty-note">Its file is broken, so it can't be started.</p>)}
        </div>
      </section>
    </>
  );
}

function Schedule({ schedule }: { readonly schedule: ScheduleView }): VNode {
  const { cron, timezone, overlap, next_times } = schedule;
  return (
    <section class="card" aria-label="Schedule">
      <p>
        Starts by itself: <span class="code">{cron}</span> in {timezone}
        {overlap === "skip" ? ", unless the run before is under way" : ""}.
      </p>
      {next_times.length > 0 && (
        <ul class="times">
          {next_times.map((at) => (
            <li key={at}>
              <Moment at={at} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
