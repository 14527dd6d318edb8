/** What a workflow says of when it starts by itself. @module */
import type { z } from "zod";
import { cronProblem, everDue, isTimeZone } from "./cron.ts";
import type { Json } from "./json.ts";
import { find, isRecord, leaf, refuse, Refused, shape } from "./schema_parts.ts";
import { choice, template } from "./schema_values.ts";

const CRON = 'a cron expression such as "0 3 * * *"';

function cron(): z.ZodType<string> {
  return leaf({ type: "string", pattern: "\\S", examples: ["0 3 * * *"] }, (value) => {
    if (typeof value !== "string" || value.trim() === "") return refuse(CRON);
    const problem = cronProblem(value);
    if (problem !== null) return refuse(CRON, `: ${problem}`);
    if (everDue(value)) return value;
    const message = `Cannot use "${value}" as "cron": such a day never comes`;
    return new Refused({ kind: "told", code: "never_due", message, at: "value" });
  });
}

function timeZone(): z.ZodType<string> {
  return leaf({ type: "string", pattern: "\\S", examples: ["Europe/Berlin"] }, (value) => {
    if (typeof value === "string" && isTimeZone(value)) return value;
    return refuse('a time zone such as "Europe/Berlin"');
  });
}

/** Any JSON, as it stands: there is nothing yet that an expression could see. */
function plain(): z.ZodType<Json> {
  return template().superRefine((value, context) => findExpressions(value, [], context));
}

function findExpressions(
  value: unknown,
  path: readonly PropertyKey[],
  context: z.core.$RefinementCtx,
): void {
  if (typeof value === "string" && value.includes("{{")) {
    const message = "Cannot use an expression here: a schedule's input is taken as it stands";
    find(context, { kind: "told", code: "no_expression", message, at: "value" }, path);
  } else if (Array.isArray(value)) {
    value.forEach((item, at) => findExpressions(item, [...path, at], context));
  } else if (isRecord(value)) {
    for (const [key, item] of Object.entries(value)) findExpressions(item, [...path, key], context);
  }
}

/** `schedule`. */
export const scheduleSchema = shape({
  cron: cron().describe('When, such as "0 3 * * *"'),
  timezone: timeZone().optional().describe("By whose clocks. Default UTC"),
  input: plain().optional().describe("The runs' input, without expressions. Default {}"),
  overlap: choice(["skip", "allow"]).optional()
    .describe("When the run before is still under way. Default skip"),
});

/** `schedule` as written. */
export type WrittenSchedule = z.output<typeof scheduleSchema>;
