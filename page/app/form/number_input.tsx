import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { lossOf } from "../api/json.ts";
import type { Shared } from "./scalar_field.tsx";

/** A number as it is typed: `1.0` on the way to `1.05` stays `1.0`, and no digit is lost unsaid. */
export function NumberInput({ value, onChange, ...attributes }: Shared & {
  readonly value: number | undefined;
  /** `undefined`: there is none, or it can't be sent as it is shown. */
  readonly onChange: (value: number | undefined) => void;
  readonly placeholder: string | undefined;
  readonly required: boolean;
  readonly step: string;
  readonly min?: number;
  readonly max?: number;
}): VNode {
  const text = useSignal(value === undefined ? "" : String(value));
  const field = useRef<HTMLInputElement>(null);
  const loss = text.value === "" ? null : lossOf(text.value);
  useEffect(() => field.current?.setCustomValidity(loss ?? ""), [loss]);
  return (
    <>
      <input
        ref={field}
        type="number"
        {...attributes}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          const typed = currentTarget.valueAsNumber;
          onChange(Number.isNaN(typed) || lossOf(text.value) !== null ? undefined : typed);
        }}
      />
      {loss !== null && <span class="field-error" role="alert">{loss}</span>}
    </>
  );
}
