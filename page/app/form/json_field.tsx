import { type Signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { type JsonValue, parseJson, pretty } from "../api/json.ts";

/** A text that is to be JSON, as somebody writes it. */
export function useJsonText(initial: JsonValue): Signal<string> {
  return useSignal(pretty(initial));
}

/** What a text says; `undefined`: it is not JSON, or would not be sent as it is shown. */
export function valueOf(text: Signal<string>): JsonValue | undefined {
  const parsed = parseJson(text.value);
  return parsed.error === null ? parsed.value : undefined;
}

/** A value that is written as JSON. A form with one that is none can't be sent. */
export function JsonField({ label, text, onInput, rows = 6, error = null }: {
  readonly label: string;
  readonly text: Signal<string>;
  /** After the text has changed. */
  readonly onInput?: () => void;
  readonly rows?: number;
  /** What the server says of it. */
  readonly error?: string | null;
}): VNode {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const mistake = parseJson(text.value).error;
  const problem = mistake ?? error;
  useEffect(() => area.current?.setCustomValidity(mistake ?? ""), [mistake]);
  return (
    <div class="field">
      <label class="field-label" for={id}>{label}</label>
      <textarea
        ref={area}
        id={id}
        class="code"
        rows={rows}
        spellcheck={false}
        value={text.value}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-error`}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          onInput?.();
        }}
      />
      <p id={`${id}-error`} class="field-error" aria-live="polite">{problem ?? ""}</p>
    </div>
  );
}
