import type { VNode } from "preact";
import { initialOf, isObject, kindOf, propertiesOf, resolve, titleOf } from "./schema.ts";
import { type FieldProps, SchemaField } from "./schema_field.tsx";

/** An object: its fields in a group. */
export function ObjectField(props: FieldProps): VNode {
  const { schema, root, path, name, value, errors, onChange } = props;
  const given = isObject(value) ? value : {};
  const set = (key: string, inner: FieldProps["value"]) => {
    const { [key]: _, ...others } = given;
    onChange(inner === undefined ? others : { ...given, [key]: inner });
  };
  const fields = propertiesOf(schema, root).map((property) => {
    const inner = given[property.name];
    const innerPath = path === "" ? property.name : `${path}.${property.name}`;
    const kind = kindOf(resolve(property.schema, root));
    const isLeftOut = !property.isRequired && inner === undefined;
    if (isLeftOut && (kind === "object" || kind === "array" || kind === "json")) {
      return (
        <p key={property.name} class="field-add">
          <button
            type="button"
            class="button button-small"
            onClick={() => {
              set(property.name, initialOf(property.schema, root) ?? null);
              focusField(innerPath);
            }}
          >
            + Add {titleOf(property.schema, property.name)}
          </button>
        </p>
      );
    }
    return (
      <div key={property.name} data-field={innerPath}>
        <SchemaField
          {...property}
          {...{ root, errors, path: innerPath, value: inner }}
          onChange={(changed) => set(property.name, changed)}
        />
      </div>
    );
  });
  const error = errors.get(path);
  if (path === "") return <>{error && <p class="field-error" role="alert">{error}</p>}{fields}</>;
  const { description } = schema;
  return (
    <fieldset class="group">
      <legend>{titleOf(schema, name)}</legend>
      {typeof description === "string" && <p class="field-help">{description}</p>}
      {error && <p class="field-error" role="alert">{error}</p>}
      {fields}
      {!props.isRequired && (
        <button
          type="button"
          class="link-button"
          onClick={() => onChange(undefined)}
        >
          Remove {titleOf(schema, name)}
        </button>
      )}
    </fieldset>
  );
}

/** The button that was pressed is gone, and the focus with it: it goes to what has come instead. */
function focusField(path: string): void {
  requestAnimationFrame(() => {
    const field = document.querySelector(`[data-field="${CSS.escape(path)}"]`);
    field?.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
  });
}
