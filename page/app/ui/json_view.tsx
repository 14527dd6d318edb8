import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import { type JsonValue, pretty } from "../api/json.ts";
import { say } from "./toasts.tsx";

/** The most that is drawn before the reader asks for all, in characters. */
const FIRST = 6_000;

/** A value as JSON, to be read and copied. */
export function JsonView({ value, label }: {
  readonly value: JsonValue;
  readonly label: string;
}): VNode {
  const all = useSignal(false);
  const text = useMemo(() => pretty(value), [value]);
  const shown = all.value ? text : text.slice(0, FIRST);
  return (
    <div class="json">
      <pre tabIndex={0} role="group" aria-label={label}><code>{shown}</code></pre>
      <div class="json-tools">
        {shown.length < text.length && (
          <button
            type="button"
            class="link-button"
            onClick={() => all.value = true}
          >
            Show all {Math.ceil(text.length / 1024)} KiB
          </button>
        )}
        <CopyButton text={text} what={label} />
      </div>
    </div>
  );
}

/** Copies a text. */
export function CopyButton({ text, what }: {
  readonly text: string;
  readonly what: string;
}): VNode {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied: ${what}`);
    } catch {
      say("The browser does not let this page copy.", "error");
    }
  };
  return (
    <button type="button" class="link-button" aria-label={`Copy ${what}`} onClick={copy}>
      Copy
    </button>
  );
}
