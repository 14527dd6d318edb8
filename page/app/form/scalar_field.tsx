import type { VNode } from "preact";
import { useId } from "preact/hooks";
import { Required } from "./list_field.tsx";
import { NumberInput } from "./number_input.tsx";
import { isNullable, kindOf, optionsOf, patternOf, type Schema, titleOf } from "./schema.ts";
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
      <label class="field-label" for={id}>
        {label}
        {isRequired && !isCheck && !isNullable(schema) && <Required />}
      </label>
      {typeof description === "string" && <p id={`${id}-help`} class="field-help">{description}</p>}
      {!isCheck && <Control {...props} shared={shared} />}
      {error !== undefined && <p id={`${id}-error`} class="field-error" role="alert">{error}</p>}
    </div>
  );
}

/** What the browser's own field is given, whatever its kind. */
export interface Shared {
  readonly id: string;
  readonly name: string;
}

function Control(
  { schema, isRequired: isNeeded, value, onChange, shared }: FieldProps & {
    readonly shared: Shared;
  },
): VNode {
  const kind = kindOf(schema);
  // What is empty is left out; where that can't be, it may still be null.
  const isRequired = isNeeded && !isNullable(schema);
  const empty = isNeeded && !isRequired ? null : undefined;
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
    const options = optionsOf(schema) ?? [];
    const at = options.findIndex((option) => option === value);
    return (
      <select
        {...shared}
        required={isRequired}
        value={at < 0 ? "" : String(at)}
        onChange={({ currentTarget }) =>
          onChange(currentTarget.value === "" ? empty : options[Number(currentTarget.value)])}
      >
        <option value="">{isRequired ? "Choose…" : "–"}</option>
        {options.map((option, index) => (
          <option key={index} value={String(index)}>{optionName(option)}</option>
        ))}
      </select>
    );
  }
  if (kind === "number" || kind === "integer") {
    return (
      <NumberInput
        {...shared}
        {...limits(schema, { min: "minimum", max: "maximum" })}
        step={kind === "integer" ? "1" : "any"}
        placeholder={exampleOf(schema)}
        required={isRequired}
        value={typeof value === "number" ? value : undefined}
        onChange={(number) => onChange(number ?? empty)}
      />
    );
  }
  const text = {
    ...limits(schema, { minLength: "minLength", maxLength: "maxLength" }),
    placeholder: exampleOf(schema),
    required: isRequired,
    value: typeof value === "string" ? value : "",
    onInput: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
      onChange(currentTarget.value === "" ? empty : currentTarget.value),
  };
  if ((text.maxLength ?? 0) >= LONG) return <textarea {...shared} {...text} rows={4} />;
  return (
    <input
      // The types of inputs are told apart by this; what is used here is the same for all of these.
      type={(TYPES[String(schema["format"])] ?? "text") as "text"}
      {...shared}
      {...text}
      pattern={patternOf(schema)}
      spellcheck={false}
      autocomplete="off"
    />
  );
}

/** A text that may have so many characters has room for some lines. */
const LONG = 500;

function optionName(option: unknown): string {
  if (typeof option === "boolean") return option ? "yes" : "no";
  return typeof option === "string" ? option : JSON.stringify(option);
}

/** How a text is to look, where the schema says. */
function exampleOf({ examples, format }: Schema): string | undefined {
  const [first] = Array.isArray(examples) ? examples : [];
  if (typeof first === "string" || typeof first === "number") return String(first);
  return EXAMPLES[String(format)];
}

const EXAMPLES: Readonly<Record<string, string>> = {
  "date-time": "2030-01-31T14:30:00Z",
  time: "14:30:00Z",
  duration: "PT1H30M",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
  email: "name@example.com",
  uri: "https://example.com/",
};

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
