import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useId } from "preact/hooks";
import { type JsonValue, parseJson, pretty } from "../api/json.ts";

/** A value that is written as JSON. */
export function JsonField({ label, initial, onChange, rows = 6, error = null }: {
  readonly label: string;
  readonly initial: JsonValue;
  /** `undefined`: what is written is not JSON. */
  readonly onChange: (value: JsonValue | undefined) => void;
  readonly rows?: number;
  /** What the server says of it. */
  readonly error?: string | null;
}): VNode {
  const id = useId();
  const text = useSignal(pretty(initial));
  const parsed = parseJson(text.value);
  const problem = parsed.error ?? error;
  return (
    <div class="field">
      <label class="field-label" for={id}>{label}</label>
      <textarea
        id={id}
        class="code"
        rows={rows}
        spellcheck={false}
        value={text.value}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-error`}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          const now = parseJson(currentTarget.value);
          onChange(now.error === null ? now.value : undefined);
        }}
      />
      <p id={`${id}-error`} class="field-error" aria-live="polite">{problem ?? ""}</p>
    </div>
  );
}
