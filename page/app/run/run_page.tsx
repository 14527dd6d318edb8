import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { RunReport } from "../../../src/engine/report.ts";
import type { StepNode } from "../../../src/server/step_tree.ts";
import { getRunDefinition } from "../api/api.ts";
import type { JsonValue } from "../api/json.ts";
import { useResource } from "../api/resource.ts";
import { token } from "../api/token.ts";
import { Graph } from "../graph/graph.tsx";
import { go, here, withQuery } from "../router.ts";
import { JsonView } from "../ui/json_view.tsx";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { panelOf, tabOf, Tabs } from "../ui/tabs.tsx";
import { Attention } from "./attention.tsx";
import { EventsView } from "./events_view.tsx";
import { FailureView } from "./failure_view.tsx";
import { LiveRun } from "./live_run.ts";
import { RunHeader } from "./run_header.tsx";
import { RunSteps } from "./run_steps.ts";
import { indexSteps } from "./step_paths.ts";
import { StepDetails } from "./step_details.tsx";
import { Timeline } from "./timeline.tsx";

const TABS = [
  { name: "timeline", title: "Timeline" },
  { name: "events", title: "Events" },
  { name: "values", title: "Input and output" },
] as const;

/** One run, as it goes on. */
export function RunPage({ runId }: { readonly runId: string }): VNode {
  const shown = token.value; // with another token, the run is asked for anew
  const live = useMemo(() => new LiveRun(runId), [runId, shown]);
  useEffect(() => () => live.close(), [live]);
  const definition = useResource(
    `definition ${runId}`,
    (signal) => getRunDefinition(runId, signal),
  );
  const report = live.report.value;
  if (report === null) {
    const error = live.error.value;
    return (
      <>
        <PageTitle name="Run">
          <span class="id">{runId}</span>
        </PageTitle>
        {error === null
          ? <Loading what="the run" />
          : error.status === 404
          ? (
            <Empty title="There is no such run">
              <p>It may have been pruned, or it is in another store.</p>
              <a class="button" href="/runs">Show all runs</a>
            </Empty>
          )
          : <Problem error={error} onRetry={() => live.refresh()} />}
      </>
    );
  }
  return <Run live={live} report={report} tree={definition.data.value?.steps ?? NONE} />;
}

const NONE: readonly StepNode[] = [];

function Run({ live, report, tree }: {
  readonly live: LiveRun;
  readonly report: RunReport;
  readonly tree: readonly StepNode[];
}): VNode {
  const model = live.model.value;
  const index = useMemo(() => indexSteps(tree), [tree]);
  const steps = useMemo(() => new RunSteps(model, index), [model, index]);
  const selected = here.value.query.get("step");
  const tab = tabOf("view", ["timeline", "events", "values"]);
  const select = (path: string) =>
    go(withQuery({ step: path === selected ? null : path }), "replace");
  const refresh = () => live.refresh();
  return (
    <>
      <RunHeader report={report} signals={signalsOf(steps)} onDone={refresh} />
      {live.error.value !== null && <Problem error={live.error.value} onRetry={refresh} />}
      <Attention runId={report.run_id} parked={report.attention} onDone={refresh} />
      {report.error !== null && report.status !== "needs_attention" && (
        <section class="card" aria-labelledby="failure-title">
          <h2 id="failure-title">
            {report.status === "cancelled" ? "Why it was cancelled" : "Why it failed"}
          </h2>
          <FailureView failure={report.error} />
          {report.error.step !== "" && (
            <p>
              At step{" "}
              <a class="code" href={withQuery({ step: report.error.step })}>{report.error.step}</a>
            </p>
          )}
        </section>
      )}
      {tree.length > 0 && (
        <section class="card" aria-labelledby="graph-title">
          <h2 id="graph-title">Steps</h2>
          <Graph
            steps={tree}
            statusOf={(path) => steps.statusOf(path)}
            selected={selected === null ? null : steps.nodeOf(selected)?.path ?? null}
            onSelect={({ path }) => select(path)}
            label="Graph of the run's steps"
          />
        </section>
      )}
      <div class={selected === null ? "" : "split"}>
        <section class="card">
          <Tabs label="Views of the run" name="view" tabs={TABS} selected={tab} />
          <div {...panelOf("view", tab)}>
            {tab === "timeline" && (
              <Timeline model={model} index={steps.index} selected={selected} onSelect={select} />
            )}
            {tab === "events" && <EventsView model={model} />}
            {tab === "values" && <Values input={model.input} report={report} />}
          </div>
        </section>
        {selected !== null && (
          <StepDetails runId={report.run_id} path={selected} steps={steps} model={model} />
        )}
      </div>
    </>
  );
}

function Values({ input, report }: {
  readonly input: JsonValue | undefined;
  readonly report: RunReport;
}): VNode {
  return (
    <>
      <h3>Input</h3>
      {input === undefined
        ? <p class="empty-note">Not known yet.</p>
        : <JsonView value={input} label="The run's input" />}
      <h3>Output</h3>
      {report.status === "completed"
        ? <JsonView value={report.output as JsonValue} label="The run's output" />
        : <p class="empty-note">There is none{report.finished_at === null ? " yet" : ""}.</p>}
    </>
  );
}

/** The signals that a run may be sent, those that it waits for first. */
function signalsOf(steps: RunSteps): readonly string[] {
  const waiting: string[] = [];
  const others: string[] = [];
  for (const node of steps.index.values()) {
    if (node.kind !== "await_signal" || node.detail === null) continue;
    const waits = steps.roundsOf(node.path).some(({ state }) => state === "waiting");
    (waits ? waiting : others).push(node.detail);
  }
  return [...new Set([...waiting, ...others])];
}
