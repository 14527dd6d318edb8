import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { StartRunRequest, WorkflowDetail } from "../../../src/server/operations.ts";
import { startRun } from "../api/api.ts";
import { ApiError } from "../api/api_error.ts";
import { type JsonValue, pretty } from "../api/json.ts";
import { newId } from "../api/new_id.ts";
import { JsonField, useJsonText, valueOf } from "../form/json_field.tsx";
import { asSchema, initialOf, kindOf, resolve } from "../form/schema.ts";
import { SchemaField } from "../form/schema_field.tsx";
import { go, runAddress } from "../router.ts";
import { Allowed } from "../ui/allowed.tsx";

/** Starts a run, with a form made from the schema of its input. */
export function StartForm({ workflow }: { readonly workflow: WorkflowDetail }): VNode {
  const { name, version, input_schema } = workflow;
  const root = asSchema(input_schema as JsonValue);
  const hasForm = kindOf(resolve(root, root)) === "object";
  const input = useSignal<JsonValue>(initialOf(root, root) ?? {});
  const text = useJsonText(input.value);
  const isRaw = useSignal(!hasForm);
  const runId = useSignal("");
  const ownId = useSignal(newId()); // started again because no answer came, it is one run
  const correlationId = useSignal("");
  const error = useSignal<ApiError | null>(null);
  const isBusy = useSignal(false);
  const start = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    error.value = null;
    try {
      const report = await startRun({
        workflow: name,
        input: input.value as NonNullable<StartRunRequest["input"]>, // JSON is JSON
        ...version === null ? {} : { version },
        run_id: runId.value === "" ? ownId.value : runId.value,
        ...correlationId.value === "" ? {} : { correlation_id: correlationId.value },
      });
      go(runAddress(report.run_id));
    } catch (thrown) {
      error.value = ApiError.from(thrown);
    }
    isBusy.value = false;
  };
  const fields = fieldsOf(error.value);
  const isBad = isRaw.value && valueOf(text) === undefined;
  return (
    <form class="start-form" onSubmit={start}>
      {hasForm && (
        <div class="form-tools">
          <button
            type="button"
            class="link-button"
            aria-pressed={isRaw.value}
            disabled={isBad}
            onClick={() => {
              isRaw.value = !isRaw.value;
              text.value = pretty(input.value);
            }}
          >
            {isRaw.value ? "Use the form" : "Write it as JSON"}
          </button>
        </div>
      )}
      {isRaw.value
        ? (
          <JsonField
            label="Input, as JSON"
            text={text}
            rows={12}
            onInput={() => input.value = valueOf(text) ?? input.value}
          />
        )
        : (
          <SchemaField
            schema={root}
            root={root}
            path=""
            name="input"
            isRequired
            value={input.value}
            errors={fields}
            onChange={(value) => input.value = value ?? {}}
          />
        )}
      <details class="more">
        <summary>Ids</summary>
        <TextField label="Run id" help="Left out: a new one" value={runId} />
        <TextField label="Correlation id" help="Left out: the run's id" value={correlationId} />
      </details>
      {error.value !== null && (
        <div class="notice notice-error" role="alert">
          <p>{error.value.message}</p>
          <ul>
            {error.value.fields.map(({ description }) => <li key={description}>{description}</li>)}
          </ul>
        </div>
      )}
      <div class="actions">
        <Allowed needed="operator" what="start a run">
          <button
            type="submit"
            class="button button-primary"
            disabled={isBusy.value || isBad}
          >
            {isBusy.value ? "Starting…" : `Start ${name}`}
          </button>
        </Allowed>
      </div>
    </form>
  );
}

/** What is wrong with fields of the input, by their paths in it: the description begins with the path. */
function fieldsOf(error: ApiError | null): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { description } of error?.fields ?? []) {
    const [, path, text] = /^input\.?(\S*) (.*)$/s.exec(description) ?? [];
    if (path !== undefined && text !== undefined) found.set(path, text);
  }
  return found;
}

function TextField({ label, help, value }: {
  readonly label: string;
  readonly help: string;
  readonly value: { value: string };
}): VNode {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <input
        type="text"
        placeholder={help}
        autocomplete="off"
        spellcheck={false}
        value={value.value}
        onInput={({ currentTarget }) => value.value = currentTarget.value.trim()}
      />
    </label>
  );
}
