import { definitionOf } from "../engine/definition.ts";
import { validInput } from "../engine/start_checks.ts";
import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import { canonicalJson } from "../workflow/digest.ts";
import type { Json } from "../workflow/json.ts";
import type { Workflow } from "../workflow/model.ts";
import { toJson } from "../workflow/value.ts";
import { isMap } from "./set_option.ts";
import { showCommand } from "./store_option.ts";

/**
 * Checks that what someone wants to run is what a run of that id was started with. The workflow is
 * told by what it says, the input with the schema's defaults.
 *
 * @param store where that run is
 * @throws {MaestroError} `USAGE`, saying what differs; `INPUT_INVALID`
 */
export async function checkSameRun(
  started: Extract<Fact, { kind: "run_started" }>,
  workflow: Workflow,
  given: Json,
  store: string,
): Promise<void> {
  const { runId } = started;
  const refused = (which: string) =>
    new MaestroError(
      "USAGE",
      `Cannot use --run-id "${runId}": there is a run of that id already, ${which}; use another id, or look at that run with "${
        showCommand(runId, store)
      }"`,
    );
  if (started.definition !== definitionOf(workflow).digest) {
    const theirs = nameOf(started.workflow, started.version);
    const ours = nameOf(workflow.name, workflow.version);
    throw refused(
      theirs === ours
        ? `of ${theirs} as it was then; the workflow has been changed since`
        : `of another workflow, ${theirs}`,
    );
  }
  const before = toJson(started.input);
  const now = await validInput(workflow, given);
  if (canonicalJson(before) === canonicalJson(now)) return;
  throw refused(`with another input${differences(before, now)}`);
}

function nameOf(name: string, version: string | null): string {
  return version === null ? `"${name}"` : `"${name}" ${version}`;
}

/** ` (it differs in "user", "tier")`: keys alone, since values may be nobody's business. */
function differences(a: Json, b: Json): string {
  if (!isMap(a) || !isMap(b)) return "";
  const textOf = (map: Readonly<Record<string, Json>>, key: string) =>
    Object.hasOwn(map, key) ? canonicalJson(map[key] ?? null) : "";
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => textOf(a, key) !== textOf(b, key));
  return ` (it differs in ${keys.map((key) => `"${key}"`).join(", ")})`;
}
