import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { asSchema, initialOf, titleOf } from "./schema.ts";
import { type FieldProps, SchemaField } from "./schema_field.tsx";

/** A list: one field an item. */
export function ListField(props: FieldProps): VNode {
  const { schema, root, path, name, value, errors, onChange, isRequired } = props;
  const items = Array.isArray(value) ? value : [];
  const inner = asSchema(schema["items"]);
  const title = titleOf(schema, name);
  const { description, maxItems } = schema;
  const error = errors.get(path);
  // Each field goes with its item, also when one before it is removed.
  const keys = useRef(items.map((_, at) => at));
  const isFull = typeof maxItems === "number" && items.length >= maxItems;
  return (
    <fieldset class="group">
      <legend>{title}{isRequired && <Required />}</legend>
      {typeof description === "string" && <p class="field-help">{description}</p>}
      {error && <p class="field-error" role="alert">{error}</p>}
      {items.map((item, at) => (
        <div key={keys.current[at]} class="list-item">
          <SchemaField
            schema={inner}
            {...{ root, errors }}
            path={`${path}[${at}]`}
            name={`${title} ${at + 1}`}
            isRequired
            value={item ?? undefined}
            onChange={(changed) => onChange(items.with(at, changed ?? null))}
          />
          <button
            type="button"
            class="link-button"
            aria-label={`Remove ${title} ${at + 1}`}
            onClick={({ currentTarget }) => {
              currentTarget.closest("fieldset")?.querySelector<HTMLElement>(".list-add")?.focus();
              keys.current.splice(at, 1);
              onChange(items.toSpliced(at, 1));
            }}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        class="button button-small list-add"
        disabled={isFull}
        onClick={() => {
          keys.current.push(Math.max(-1, ...keys.current) + 1);
          onChange([...items, initialOf(inner, root) ?? null]);
        }}
      >
        + Add to {title}
      </button>
    </fieldset>
  );
}

/** Marks what can't be left out. */
export function Required(): VNode {
  return <span class="required" aria-hidden="true">*</span>;
}
