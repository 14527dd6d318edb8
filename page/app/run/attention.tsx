import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { AttentionReport } from "../../../src/engine/report.ts";
import type { ResolveStepRequest } from "../../../src/server/operations.ts";
import { resolveStep } from "../api/api.ts";
import type { JsonValue } from "../api/json.ts";
import { newId } from "../api/new_id.ts";
import { JsonField, useJsonText, valueOf } from "../form/json_field.tsx";
import { Allowed } from "../ui/allowed.tsx";
import { attempt } from "../ui/toasts.tsx";
import { FailureView } from "./failure_view.tsx";

/** What of a run waits for an operator, and the way on. */
export function Attention({ runId, parked, onDone }: {
  readonly runId: string;
  readonly parked: readonly AttentionReport[];
  readonly onDone: () => void;
}): VNode | null {
  if (parked.length === 0) return null;
  return (
    <section class="card attention" aria-label="Needs attention">
      <h2>Needs attention</h2>
      {parked.map((one) => (
        <Parked key={`${one.op} ${one.step}`} runId={runId} parked={one} onDone={onDone} />
      ))}
    </section>
  );
}

type Action = ResolveStepRequest["action"];

const WHAT: Readonly<Record<AttentionReport["op"], string>> = {
  action: "can't be done",
  compensate: "can't be undone",
  verify: "can't be asked about",
};

function Parked({ runId, parked, onDone }: {
  readonly runId: string;
  readonly parked: AttentionReport;
  readonly onDone: () => void;
}): VNode {
  const { step, op, error } = parked;
  const isOpen = useSignal(false);
  const element = useRef<HTMLElement>(null);
  // What had the focus is gone with it: it goes on at what has come instead.
  const turn = (open: boolean) => {
    isOpen.value = open;
    requestAnimationFrame(() =>
      element.current?.querySelector<HTMLElement>(".choice input, .button-primary")?.focus()
    );
  };
  // All of this goes away soon: the heading has the status beside it.
  const done = () => {
    isOpen.value = false;
    document.querySelector("h1")?.focus();
    onDone();
  };
  return (
    <article ref={element} class="parked" aria-label={`${step} ${WHAT[op]}`}>
      <h3>
        <span class="code">{step}</span> {WHAT[op]}
      </h3>
      <FailureView failure={error} />
      {isOpen.value
        ? <ResolveForm {...{ runId, parked }} onDone={done} onClose={() => turn(false)} />
        : (
          <Allowed needed="operator" what="resolve it">
            <button type="button" class="button button-primary" onClick={() => turn(true)}>
              Resolve…
            </button>
          </Allowed>
        )}
    </article>
  );
}

function ResolveForm({ runId, parked, onDone, onClose }: {
  readonly runId: string;
  readonly parked: AttentionReport;
  readonly onDone: () => void;
  readonly onClose: () => void;
}): VNode {
  const { step, op, request } = parked;
  const original = request as JsonValue;
  const action = useSignal<Action>("retry");
  const reason = useSignal("");
  const inputText = useJsonText(original);
  const outputText = useJsonText({});
  const isBusy = useSignal(false);
  const input = valueOf(inputText);
  const output = valueOf(outputText);
  const isBad = action.value === "retry"
    ? input === undefined
    : action.value === "skip" && output === undefined;
  const submit = async (event: Event) => {
    event.preventDefault();
    isBusy.value = true;
    const resolution = resolutionOf(step, action.value, reason.value.trim(), {
      input: JSON.stringify(input) === JSON.stringify(original) ? undefined : input,
      output: op === "action" ? output : undefined,
    });
    const done = await attempt(() => resolveStep(runId, resolution), SAID[action.value]);
    isBusy.value = false;
    if (done) onDone();
  };
  return (
    <form class="resolve" onSubmit={submit}>
      <fieldset class="choices">
        <legend>What is to be done</legend>
        {(["retry", "skip", "abort"] as const).map((one) => (
          <label key={one} class="choice">
            <input
              type="radio"
              name={`action-${op}-${step}`}
              checked={action.value === one}
              onChange={() => action.value = one}
            />
            <span>
              <strong>{VERBS[one]}</strong> <span class="muted">{explain(one, op)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {action.value === "retry" && original !== null && (
        <JsonField label="Request" text={inputText} rows={8} />
      )}
      {action.value === "skip" && op === "action" && (
        <JsonField label="Output that it is taken to have given" text={outputText} />
      )}
      <label class="field">
        <span class="field-label">Reason, for the record</span>
        <input
          type="text"
          required
          maxLength={500}
          value={reason.value}
          onInput={({ currentTarget }) => reason.value = currentTarget.value}
        />
      </label>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>Back</button>
        <button
          type="submit"
          class={`button ${action.value === "retry" ? "button-primary" : "button-danger"}`}
          disabled={isBad || isBusy.value}
        >
          {VERBS[action.value]}
        </button>
      </div>
    </form>
  );
}

const VERBS: Readonly<Record<Action, string>> = { retry: "Retry", skip: "Skip", abort: "Abort" };

const SAID: Readonly<Record<Action, string>> = {
  retry: "It is tried again",
  skip: "It was skipped; the run goes on",
  abort: "It was aborted",
};

function explain(action: Action, op: AttentionReport["op"]): string {
  if (action === "retry") return "tries again, with the request as it is below";
  if (action === "abort") return "ends the run here as incomplete: what still stands, stands";
  return op === "compensate"
    ? "leaves it standing, and goes on with what else is to be undone"
    : "takes it as done, with an output that you give";
}

/** `undefined` says nothing. */
function resolutionOf(
  step: string,
  action: Action,
  reason: string,
  { input, output }: {
    readonly input: JsonValue | undefined;
    readonly output: JsonValue | undefined;
  },
): ResolveStepRequest {
  // JSON as the page and as the server know it is the same; only the types' names differ.
  type Json = NonNullable<ResolveStepRequest["input"]>;
  return {
    step,
    action,
    reason,
    resolution_id: newId(),
    ...action === "retry" && input !== undefined ? { input: input as Json } : {},
    ...action === "skip" && output !== undefined ? { output: output as Json } : {},
  };
}
