import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { RunReport } from "../../../src/engine/report.ts";
import { cancelRun, signalRun } from "../api/api.ts";
import { JsonField, useJsonText, valueOf } from "../form/json_field.tsx";
import { newId } from "../api/new_id.ts";
import { Allowed } from "../ui/allowed.tsx";
import { Confirm, Dialog } from "../ui/dialog.tsx";
import { attempt } from "../ui/toasts.tsx";

/** What can be done with a run now: it is cancelled, or handed a signal. */
export function RunActions({ report, signals, onDone }: {
  readonly report: RunReport;
  /** The names of the signals that it knows, those that it waits for first. */
  readonly signals: readonly string[];
  readonly onDone: () => void;
}): VNode | null {
  const open = useSignal<"cancel" | "signal" | null>(null);
  const close = () => open.value = null;
  const { run_id, finished_at, status } = report;
  if (finished_at !== null) return null;
  const cancel = async () => {
    close();
    if (await attempt(() => cancelRun(run_id), "The run is being cancelled")) onDone();
  };
  return (
    <div class="run-actions">
      <Allowed needed="operator" what="cancel a run or send it a signal">
        {signals.length > 0 && (
          <button
            type="button"
            class="button"
            onClick={() => open.value = "signal"}
          >
            Send a signal
          </button>
        )}
        {status === "running" && (
          <button
            type="button"
            class="button button-danger"
            onClick={() => open.value = "cancel"}
          >
            Cancel the run
          </button>
        )}
      </Allowed>
      {open.value === "cancel" && (
        <Confirm
          title="Cancel this run?"
          verb="Cancel the run"
          danger
          onConfirm={cancel}
          onClose={close}
        >
          <p>
            It stops, and what it has done is undone in reverse order. This can't be taken back.
          </p>
        </Confirm>
      )}
      {open.value === "signal" && (
        <SignalDialog runId={run_id} names={signals} onClose={close} onDone={onDone} />
      )}
    </div>
  );
}

function SignalDialog({ runId, names, onClose, onDone }: {
  readonly runId: string;
  readonly names: readonly string[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}): VNode {
  const name = useSignal(names[0] ?? "");
  const text = useJsonText({});
  const data = valueOf(text);
  const id = useSignal(newId()); // sent again because no answer came, it is one signal
  const send = async (event: Event) => {
    event.preventDefault();
    if (data === undefined) return;
    const sent = await attempt(
      () => signalRun(runId, { name: name.value, data, signal_id: id.value }),
      `The signal "${name.value}" was sent`,
    );
    if (!sent) return;
    onClose();
    onDone();
  };
  return (
    <Dialog title="Send a signal" onClose={onClose}>
      <form onSubmit={send}>
        <label class="field">
          <span class="field-label">Signal</span>
          <select
            value={name.value}
            onChange={({ currentTarget }) => name.value = currentTarget.value}
          >
            {names.map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </label>
        <JsonField label="Data, as JSON" text={text} />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>Back</button>
          <button type="submit" class="button button-primary" disabled={data === undefined}>
            Send
          </button>
        </div>
      </form>
    </Dialog>
  );
}
