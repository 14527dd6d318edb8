import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useId } from "preact/hooks";
import { Required } from "./list_field.tsx";
import { asSchema, initialOf, titleOf, variantsOf } from "./schema.ts";
import { type FieldProps, SchemaField } from "./schema_field.tsx";
import { looksLike, variantName } from "./variants.ts";

/** One of several kinds of values: first which one, then its own field. */
export function VariantField(props: FieldProps): VNode {
  const { schema, root, name, isRequired, value, onChange } = props;
  const id = useId();
  const variants = variantsOf(schema);
  const chosen = useSignal(variants.findIndex((one) => looksLike(value, one, root)));
  // A text that is not filled in yet looks like nothing.
  const at = chosen.value < 0 && isRequired ? 0 : chosen.value;
  const { description } = schema;
  const variant = variants[at];
  const title = titleOf(schema, name);
  return (
    <fieldset class="group">
      <legend>{title}{isRequired && <Required />}</legend>
      {typeof description === "string" && <p class="field-help">{description}</p>}
      <div class="field">
        <label class="field-label" for={id}>Kind of {title}</label>
        <select
          id={id}
          value={String(at)}
          onChange={({ currentTarget }) => {
            chosen.value = Number(currentTarget.value);
            onChange(initialOf(variants[chosen.value], root));
          }}
        >
          {!isRequired && <option value="-1">–</option>}
          {variants.map((one, index) => (
            <option key={index} value={String(index)}>{variantName(one, root, index)}</option>
          ))}
        </select>
      </div>
      {variant !== undefined && (
        <SchemaField
          key={at}
          {...props}
          schema={asSchema(variant)}
          name={variantName(variant, root, at)}
          isRequired
        />
      )}
    </fieldset>
  );
}
