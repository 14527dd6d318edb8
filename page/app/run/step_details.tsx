import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { StateIcon } from "../graph/state_icon.tsx";
import { StepDefinition } from "../graph/step_definition.tsx";
import { go, runAddress, withQuery } from "../router.ts";
import { JsonView } from "../ui/json_view.tsx";
import { duration } from "../ui/duration.ts";
import { Moment, now } from "../ui/time.tsx";
import { AttemptsTable } from "./attempts_table.tsx";
import { FailureView } from "./failure_view.tsx";
import { LOOK_NAMES, lookOf } from "./looks.ts";
import { childRunId, recordKey, type RunModel, type StepRecord } from "./run_model.ts";
import type { RunSteps } from "./run_steps.ts";

/** Everything about one step of a run. */
export function StepDetails({ runId, path, steps, model }: {
  readonly runId: string;
  /** Of the workflow or of one round. */
  readonly path: string;
  readonly steps: RunSteps;
  readonly model: RunModel;
}): VNode {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where they are not beside the steps, they are brought into sight.
    if (matchMedia("(max-width: 1000px)").matches) element.current?.scrollIntoView();
  }, [path]);
  const node = steps.nodeOf(path);
  const rounds = steps.roundsOf(path);
  const record = rounds.find((one) => one.path === path) ?? rounds[0] ?? null;
  return (
    <section ref={element} class="card details" aria-label={`Step ${path}`}>
      <div class="card-head">
        <h2 class="ellipsis">{record?.path ?? path}</h2>
        <button
          type="button"
          class="link-button"
          aria-label="Close the step's details"
          onClick={() => {
            go(withQuery({ step: null }), "replace");
            // The button is gone with the details: the focus goes back to the step.
            if (node !== null) focusStep(node.path);
          }}
        >
          Close
        </button>
      </div>
      {node !== null && <StepDefinition step={node} />}
      {rounds.length > 1 && <RoundPicker rounds={rounds} selected={record} model={model} />}
      {record === null
        ? <p class="empty-note">It has not started{model.endedAt === null ? " yet" : ""}.</p>
        : (
          <>
            <RecordView record={record} model={model} isAction />
            {node?.kind === "workflow" && (
              <ChildLinks runId={runId} path={record.path} revision={record.revision} />
            )}
            {(["verify", "compensate"] as const).map((op) => {
              const other = model.records.get(recordKey(record.path, op));
              if (other === undefined || other === record) return null;
              return (
                <div key={op} class="details-part">
                  <h3>{op === "verify" ? "Asked whether it happened" : "Compensation"}</h3>
                  <RecordView record={other} model={model} />
                </div>
              );
            })}
          </>
        )}
    </section>
  );
}

function ChildLinks({ runId, path, revision }: {
  readonly runId: string;
  readonly path: string;
  readonly revision: number;
}): VNode {
  const address = (of: number) => runAddress(childRunId(runId, path, of));
  return (
    <p class="child-links">
      <a class="button button-small" href={address(revision)}>Open the child run</a>
      {revision > 0 && <span class="muted">Before it:</span>}
      {Array.from({ length: revision }, (_, of) => <a key={of} href={address(of)}>try {of + 1}</a>)}
    </p>
  );
}

function focusStep(path: string): void {
  document.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`)?.focus();
}

function RoundPicker({ rounds, selected, model }: {
  readonly rounds: readonly StepRecord[];
  readonly selected: StepRecord | null;
  readonly model: RunModel;
}): VNode {
  return (
    <label class="field">
      <span class="field-label">Round ({rounds.length} so far)</span>
      <select
        value={selected?.path}
        onChange={({ currentTarget }) => go(withQuery({ step: currentTarget.value }), "replace")}
      >
        {rounds.map((record) => (
          <option key={record.path} value={record.path}>
            {record.path}: {LOOK_NAMES[lookOf(model, record)]}
          </option>
        ))}
      </select>
    </label>
  );
}

function RecordView({ record, model, isAction = false }: {
  readonly record: StepRecord;
  readonly model: RunModel;
  readonly isAction?: boolean;
}): VNode {
  const { startedAt, endedAt, failure, attempts, input, output, holdup, dueAt } = record;
  const look = isAction ? lookOf(model, record) : record.state;
  return (
    <>
      <p class="details-state">
        <StateIcon look={look} /> <strong>{LOOK_NAMES[look]}</strong>{" "}
        <span class="muted">
          began <Moment at={new Date(startedAt).toISOString()} />,{" "}
          {endedAt === null ? "so far" : "took"} {duration((endedAt ?? now.value) - startedAt)}
        </span>
      </p>
      {holdup !== null && <p class="muted">{holdup}.</p>}
      {dueAt !== null && endedAt === null && (
        <p class="muted">
          Until <Moment at={new Date(dueAt).toISOString()} />.
        </p>
      )}
      {failure !== null && record.state !== "completed" && <FailureView failure={failure} />}
      {attempts.length > 0 && <AttemptsTable attempts={attempts} />}
      {input !== undefined && (
        <>
          <h3>Input</h3>
          <JsonView value={input} label="Input" />
        </>
      )}
      {output !== undefined && (
        <>
          <h3>Output</h3>
          <JsonView value={output} label="Output" />
        </>
      )}
    </>
  );
}
