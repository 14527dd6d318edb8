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
        <button
          key={property.name}
          type="button"
          class="button button-small"
          onClick={() => set(property.name, initialOf(property.schema, root) ?? null)}
        >
          Add {titleOf(property.schema, property.name)}
        </button>
      );
    }
    return (
      <SchemaField
        key={property.name}
        {...property}
        {...{ root, errors, path: innerPath, value: inner }}
        onChange={(changed) => set(property.name, changed)}
      />
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
