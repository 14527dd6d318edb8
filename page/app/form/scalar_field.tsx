import type { VNode } from "preact";
import { useId } from "preact/hooks";
import type { JsonValue } from "../api/json.ts";
import { Required } from "./list_field.tsx";
import { kindOf, patternOf, type Schema, titleOf } from "./schema.ts";
import type { FieldProps } from "./schema_field.tsx";

/** A text, a number, a choice or a yes or no. */
export function ScalarField(props: FieldProps): VNode {
  const { schema, path, name, isRequired, errors } = props;
  const id = useId();
  const { description } = schema;
  const error = errors.get(path);
  const label = titleOf(schema, name);
  const isCheck = kindOf(schema) === "boolean";
  const describedBy = [
    typeof description === "string" ? `${id}-help` : "",
    error === undefined ? "" : `${id}-error`,
  ].join(" ").trim();
  const shared = {
    id,
    name: path,
    ...describedBy === "" ? {} : { "aria-describedby": describedBy },
    ...error === undefined ? {} : { "aria-invalid": true },
  };
  return (
    <div class={`field ${isCheck ? "field-check" : ""}`}>
      {isCheck && <Control {...props} shared={shared} />}
      <label class="field-label" for={id}>{label}{isRequired && !isCheck && <Required />}</label>
      {typeof description === "string" && <p id={`${id}-help`} class="field-help">{description}</p>}
      {!isCheck && <Control {...props} shared={shared} />}
      {error !== undefined && <p id={`${id}-error`} class="field-error" role="alert">{error}</p>}
    </div>
  );
}

function Control({ schema, isRequired, value, onChange, shared }: FieldProps & {
  readonly shared: { readonly id: string; readonly name: string };
}): VNode {
  const kind = kindOf(schema);
  if (kind === "boolean") {
    return (
      <input
        type="checkbox"
        {...shared}
        checked={value === true}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    );
  }
  if (kind === "choice") {
    const options = schema["enum"] as readonly JsonValue[]; // that makes it a choice
    const at = options.findIndex((option) => option === value);
    return (
      <select
        {...shared}
        required={isRequired}
        value={at < 0 ? "" : String(at)}
        onChange={({ currentTarget }) =>
          onChange(currentTarget.value === "" ? undefined : options[Number(currentTarget.value)])}
      >
        <option value="">{isRequired ? "Choose…" : "–"}</option>
        {options.map((option, index) => (
          <option key={index} value={String(index)}>
            {typeof option === "string" ? option : JSON.stringify(option)}
          </option>
        ))}
      </select>
    );
  }
  if (kind === "number" || kind === "integer") {
    return (
      <input
        type="number"
        {...shared}
        {...limits(schema, { min: "minimum", max: "maximum" })}
        step={kind === "integer" ? "1" : "any"}
        required={isRequired}
        value={typeof value === "number" ? value : ""}
        onInput={({ currentTarget }) =>
          onChange(
            Number.isNaN(currentTarget.valueAsNumber) ? undefined : currentTarget.valueAsNumber,
          )}
      />
    );
  }
  return (
    <input
      // The types of inputs are told apart by this; what is used here is the same for all of these.
      type={(TYPES[String(schema["format"])] ?? "text") as "text"}
      {...shared}
      {...limits(schema, { minLength: "minLength", maxLength: "maxLength" })}
      pattern={patternOf(schema)}
      required={isRequired}
      value={typeof value === "string" ? value : ""}
      spellcheck={false}
      autocomplete="off"
      onInput={({ currentTarget }) =>
        onChange(currentTarget.value === "" ? undefined : currentTarget.value)}
    />
  );
}

/** The browser's own fields for some formats. */
const TYPES: Readonly<Record<string, "date" | "email" | "url">> = {
  date: "date",
  email: "email",
  uri: "url",
};

/** Attributes that a schema's keywords give numbers for. */
function limits<Name extends string>(
  schema: Schema,
  names: Readonly<Record<Name, string>>,
): Partial<Record<Name, number>> {
  const found: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(names) as Name[]) { // an object's own keys
    const limit = schema[names[name]];
    if (typeof limit === "number") found[name] = limit;
  }
  return found;
}
