import type { VNode } from "preact";
import type { JsonValue } from "../api/json.ts";
import { JsonField, useJsonText, valueOf } from "./json_field.tsx";
import { ListField } from "./list_field.tsx";
import { ObjectField } from "./object_field.tsx";
import { ScalarField } from "./scalar_field.tsx";
import { kindOf, resolve, type Schema, titleOf } from "./schema.ts";
import { VariantField } from "./variant_field.tsx";

/** What every field is given. */
export interface FieldProps {
  readonly schema: Schema;
  /** Where `$ref`s are looked up. */
  readonly root: Schema;
  /** Where the value stands, as the server names it: `address.city`, `items[0].sku`. */
  readonly path: string;
  readonly name: string;
  readonly isRequired: boolean;
  /** `undefined`: left out. */
  readonly value: JsonValue | undefined;
  readonly onChange: (value: JsonValue | undefined) => void;
  /** What the server says of single fields, by their paths. */
  readonly errors: ReadonlyMap<string, string>;
}

/** The field that suits a schema. */
export function SchemaField(props: FieldProps): VNode | null {
  const schema = resolve(props.schema, props.root);
  const own = { ...props, schema };
  switch (kindOf(schema)) {
    case "fixed":
      return null; // there is nothing to choose
    case "object":
      return <ObjectField {...own} />;
    case "array":
      return <ListField {...own} />;
    case "variant":
      return <VariantField {...own} />;
    case "json":
      return <WrittenField {...own} />;
    default:
      return <ScalarField {...own} />;
  }
}

/** What no form suits is written as JSON. While it is none, what it was before stays. */
function WrittenField(
  { schema, name, path, isRequired, value = null, onChange, errors }: FieldProps,
): VNode {
  const text = useJsonText(value);
  const title = titleOf(schema, name);
  return (
    <>
      <JsonField
        label={`${title} (JSON)`}
        text={text}
        rows={4}
        error={errors.get(path) ?? null}
        onInput={() => {
          const written = valueOf(text);
          if (written !== undefined) onChange(written);
        }}
      />
      {!isRequired && (
        <button type="button" class="link-button" onClick={() => onChange(undefined)}>
          Remove {title}
        </button>
      )}
    </>
  );
}
