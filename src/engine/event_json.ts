import type { Happening } from "./happening.ts";
import type { Json } from "../workflow/json.ts";
import { toJson, type Value } from "../workflow/value.ts";

/** Something that happened as one JSON object: keys in `snake_case`, times as RFC 3339, values as ProtoJSON. */
export function eventJson(runId: string, event: Happening): Json {
  const object: Record<string, Json> = { run_id: runId };
  for (const [name, value] of Object.entries(event)) {
    if (name === "runId" || name === "v" || value === undefined) continue;
    const key = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    object[key] = TIMES.has(name) && typeof value === "number"
      ? new Date(value).toISOString()
      : toJson(value as Value); // all that a fact or notice holds is one
  }
  return object;
}

const TIMES: ReadonlySet<string> = new Set(["at", "nextAt", "deadline", "until", "dueAt"]);
