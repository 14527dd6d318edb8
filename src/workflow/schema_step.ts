/** What a step may be. @module */
import { z } from "zod";
import { either, find, isRecord, leaf, list, refuse, settle, shape } from "./schema_parts.ts";
import { metadataSchema, stepRetrySchema } from "./schema_service.ts";
import {
  anyText,
  choice,
  duration,
  expression,
  findUnreadable,
  flag,
  name,
  template,
  text,
  time,
  whole,
} from "./schema_values.ts";
import { countForms, formProblem, STAND_IN } from "./step_forms.ts";
import { GRPC_CODES, OWN_CODES, RUN_CODES } from "./words.ts";
import type { Template } from "./model.ts";

/** Steps as written. An interface, since the type holds itself. */
export interface WrittenSteps extends ReadonlyArray<WrittenStep> {}

const step: z.ZodType<WrittenStep> = z.unknown().transform((value, context): WrittenStep => {
  if (value === STAND_IN) return { form: "broken" };
  if (!isRecord(value)) {
    find(context, { kind: "value", want: "a step, that is a map with keys", hint: "" });
    return z.NEVER;
  }
  const [form, ...others] = countForms(value);
  if (form === undefined || others.length > 0) {
    const { path, finding } = formProblem(value);
    find(context, finding, path);
    return z.NEVER;
  }
  return FORMS[form](value, context);
}).meta({ $ref: "#/$defs/step" });

/** A list of steps. */
export const stepsSchema: z.ZodType<WrittenSteps> = list(step, 1);
const steps = stepsSchema;

const REQUEST = { type: ["object", "string"], pattern: "\\{\\{" };

const input = leaf<Template>(
  { ...REQUEST, type: [...REQUEST.type, "array"], items: REQUEST },
  (value) =>
    Array.isArray(value) || isRequest(value)
      ? value as Template // the reader yields JSON alone
      : refuse("a map of the request's fields, or a list of such maps for a stream"),
).superRefine((value, context) => {
  findUnreadable(value, [], context);
  if (!Array.isArray(value)) return;
  value.forEach((item: unknown, at) => {
    if (isRequest(item) || typeof item === "symbol") return; // a symbol has been told of
    find(context, { kind: "value", want: "a map of one request's fields", hint: "" }, [at]);
  });
});

function isRequest(value: unknown): boolean {
  return isRecord(value) || (typeof value === "string" && value.includes("{{"));
}

const action = {
  method: text("a method such as Charge or acme.v1.Payments/Charge")
    .describe("Charge, Payments/Charge or acme.payments.v1.Payments/Charge"),
  input: input.optional().describe(
    "The request's fields; strings may hold {{ … }}; a list of requests where the method takes a stream; default none",
  ),
  metadata: metadataSchema.optional().describe("Sent with the call, over the service's own"),
  attempt_timeout: duration().optional().describe(
    "How long one call may take; default the service's",
  ),
  max_messages: whole(1).optional()
    .describe("The most messages that a stream may answer with; default the service's, else 10000"),
};

const undo = {
  service: name().optional().describe("Left out: the step's own service"),
  ...action,
};

/** `compensate` as written. */
export type WrittenCompensation =
  | { readonly form: "steps"; readonly steps: WrittenSteps }
  | ({ readonly form: "call" } & z.output<z.ZodObject<typeof undo>>);

/** @param call the shape of one call */
function compensation(call: z.ZodType<z.output<z.ZodObject<typeof undo>>>) {
  return either<WrittenCompensation>(
    "a call, {method, input}, or {steps: […]}",
    {
      fits: (value) => isRecord(value) && "steps" in value,
      schema: shape({ steps: steps.describe("What undoes the step, in order") })
        .transform((it) => ({ form: "steps" as const, ...it })),
    },
    { fits: isRecord, schema: call.transform((it) => ({ form: "call" as const, ...it })) },
  ).optional();
}

const caught = shape({
  codes: list<string>(choice([...GRPC_CODES, ...OWN_CODES, ...RUN_CODES]), 1).optional()
    .describe("gRPC codes or Maestro's own; left out: any"),
  reason: text().optional().describe("The reason in google.rpc.ErrorInfo; left out: any"),
  when: expression().optional().describe("A bool; sees .error; left out: always"),
  undo: flag().optional().describe(
    "Compensate what this step's block completed, before steps; default false",
  ),
  steps: steps.optional().describe("What is done instead; sees .error"),
  result: template().optional().describe(
    "The step's output instead; default that of the last of steps, else {}",
  ),
});

const base = {
  id: name().optional().describe("Unique in the workflow; default from its place, steps[2]"),
  when: expression().optional().describe("A bool; false: the step is skipped and its output is {}"),
  timeout: duration().optional().describe(
    "The whole step, retries and waits included; default none",
  ),
  output: name().optional().describe("What the result is called in expressions; default the id"),
  needs: list(name()).optional().describe("Inside parallel: the siblings that come first"),
  catch: list(caught, 1).optional()
    .describe("What to do when the step fails: the first entry that fits takes the failure"),
};

const steer = {
  concurrency: whole(1).optional().describe("How many at a time"),
  on_failure: choice(["cancel", "finish"]).optional()
    .describe("When one fails: cancel (default) the others, or let them finish"),
};

const call = shape({
  ...base,
  service: name().describe("Which of services is called"),
  ...action,
  retry: stepRetrySchema.optional().describe("Over the service's own, key by key"),
  idempotent: flag().optional()
    .describe(
      "true (default): at least once. false: at most once, so no retry and no second try after a crash",
    ),
  compensate: compensation(shape(undo))
    .describe("How the step is undone when the run is rolled back"),
  verify: shape({
    ...undo,
    result: template().optional().describe(
      "The output when it did happen; sees the answer by the step's own output; default the answer",
    ),
  }).optional().describe(
    "Asked when the outcome is unknown: OK means that it did happen, NOT_FOUND that it did not",
  ),
  pivot: flag().optional().describe("true: after this step there is no way back; default false"),
});

const sequence = shape({ ...base, steps: steps.describe("One after the other") });

const parallel = shape({
  ...base,
  parallel: steps.describe("Side by side; an item may be a steps: group"),
  ...steer,
});

const branch = shape({
  when: expression().optional().describe("A bool; only the last branch may go without"),
  steps: steps.describe("What is done when the branch is taken"),
});

const choose = shape({
  ...base,
  switch: z.array(branch).min(1).superRefine((branches, context) => {
    branches.forEach(({ when }, at) => {
      if (when !== undefined || at === branches.length - 1) return;
      const message = 'Only the last branch of a "switch" may go without "when"';
      find(context, { kind: "told", code: "default_not_last", message }, [at]);
    });
  }).describe("The first branch whose when is true"),
});

const assign = shape({
  ...base,
  set: z.record(name(), template()).describe("Names for later steps, and their values"),
});

const fail = shape({
  ...base,
  fail: shape({
    code: choice(GRPC_CODES).describe("A gRPC status code"),
    message: anyText().describe("What is told; may hold {{ … }}"),
  }).describe("End here with an error"),
});

const back = shape({
  ...base,
  return: template().describe("End the run as completed with this output"),
});

const result = template().optional().describe("One round's result; default its last step's output");

const each = shape({
  ...base,
  foreach: either<Template>(
    "one expression, or a list",
    { fits: Array.isArray, schema: template().meta({ type: "array" }) },
    { fits: (value) => typeof value === "string", schema: expression() },
  ).describe("The items: one expression that gives a list, or a list"),
  as: name().optional().describe("What an item is called; default item. Its index: <as>_index"),
  ...steer,
  concurrency: whole(1).optional().describe("How many rounds at a time; default 1"),
  steps: steps.describe("What is done for each item"),
  result,
});

const repeat = shape({
  ...base,
  repeat: steps.describe("What is done again and again"),
  until: expression().describe("A bool; true ends it"),
  every: duration("zero").optional().describe("The pause between rounds; default 0s"),
  max_rounds: whole(1).optional().describe("Then it fails as REPEAT_EXHAUSTED"),
  result,
}).superRefine((it, context) => {
  if (it.max_rounds !== undefined || it.timeout !== undefined) return;
  const message = '"repeat" needs "max_rounds", or a "timeout", so that it ends';
  find(context, { kind: "told", code: "endless", message }, ["repeat"]);
}).meta({
  anyOf: ["max_rounds", "timeout"].map((key) => ({ properties: { [key]: {} }, required: [key] })),
});

const wait = shape({
  ...base,
  wait: either<{ readonly duration: number } | { readonly until: string }>(
    'a duration such as "5m", or {until: …}',
    { fits: isRecord, schema: shape({ until: time().describe("An RFC 3339 time") }) },
    {
      fits: (value) => !Array.isArray(value),
      schema: duration("zero").transform((milliseconds) => ({ duration: milliseconds })),
    },
  ).describe("How long, or {until: …}: an RFC 3339 time"),
});

const signal = shape({
  ...base,
  await_signal: name().describe("The signal's name; its payload is the output"),
});

const child = shape({
  ...base,
  workflow: text("a file's path").describe("The other workflow's file, relative to this file"),
  input: template().optional().describe("Its input; default {}"),
  compensate: compensation(
    shape({ ...undo, service: name().describe("Which of services is called") }),
  ).describe("How it is undone, in place of its own compensations"),
});

/** How each form is checked, by the key that tells it. */
const FORMS = {
  service: as("call", call),
  steps: as("steps", sequence),
  parallel: as("parallel", parallel),
  switch: as("switch", choose),
  set: as("set", assign),
  fail: as("fail", fail),
  return: as("return", back),
  foreach: as("foreach", each),
  repeat: as("repeat", repeat),
  wait: as("wait", wait),
  await_signal: as("await_signal", signal),
  workflow: as("workflow", child),
};

/** The forms' schemas, for the editors' JSON Schema. */
export const FORM_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  call,
  sequence,
  parallel,
  switch: choose,
  set: assign,
  fail,
  return: back,
  foreach: each,
  repeat,
  wait,
  await_signal: signal,
  workflow: child,
};

function as<F extends string, T>(form: F, schema: z.ZodType<T>) {
  return (value: unknown, context: z.core.$RefinementCtx): { readonly form: F } & T => ({
    ...settle(schema, value, context),
    form,
  });
}

/** A step as written: its form, and what that form's keys hold. */
export type WrittenStep =
  | ReturnType<(typeof FORMS)[keyof typeof FORMS]>
  | { readonly form: "broken" };

/** A step of one form. */
export type Written<F extends WrittenStep["form"]> = Extract<WrittenStep, { readonly form: F }>;
