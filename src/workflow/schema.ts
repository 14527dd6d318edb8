/**
 * The workflow language: the one source of its types, its checks and the editors' JSON Schema.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "./json.ts";
import { editorSchema } from "./schema_editor.ts";
import { either, isRecord, oneOrMany, shape, withoutOwnKeys } from "./schema_parts.ts";
import { scheduleSchema } from "./schema_schedule.ts";
import { sagaSchema, serviceSchema } from "./schema_service.ts";
import { FORM_SCHEMAS, stepsSchema } from "./schema_step.ts";
import { anyText, duration, name, template, text, workflowName } from "./schema_values.ts";

const shared = {
  include: oneOrMany(text("a file's path")).optional()
    .describe("Files whose services and defaults are merged in, this file's winning"),
  services: z.preprocess(withoutOwnKeys, z.record(name(), serviceSchema)).meta({ takesOwn: true })
    .optional().describe("Who is called, by name"),
  defaults: serviceSchema.optional().describe(
    "Settings of every service that does not say otherwise",
  ),
};

/** A file that others include. */
export const includedSchema = shape(shared);

const inputSchema = either<Json>(
  "a JSON Schema",
  { fits: isRecord, schema: template().meta({ type: "object" }) },
  { fits: (value) => typeof value === "boolean", schema: template().meta({ type: "boolean" }) },
);

/** A workflow. */
export const workflowSchema = shape({
  name: workflowName().describe("What the workflow is called"),
  version: anyText().optional().describe('Such as "1.0", in quotes'),
  description: anyText().optional().describe("For people"),
  ...shared,
  timeout: duration().optional()
    .describe("The forward part of a whole run; rollback is not under it. Default none"),
  input: inputSchema.optional().describe("A JSON Schema (2020-12) of the run's input"),
  output: template().optional().describe("What the run returns; default the last step's output"),
  saga: sagaSchema.optional().describe("How compensations are tried"),
  schedule: scheduleSchema.optional().describe("When serve starts runs by itself"),
  steps: stepsSchema.describe("What is done, in order"),
});

/** A workflow as written, durations in milliseconds and sizes in bytes. */
export type WrittenWorkflow = z.output<typeof workflowSchema>;

/** What an included file may hold. */
export type WrittenIncluded = z.output<typeof includedSchema>;

/** The JSON Schema (2020-12) of a workflow file, for editors. */
export function languageSchema(): Json {
  return editorSchema(workflowSchema, FORM_SCHEMAS);
}
