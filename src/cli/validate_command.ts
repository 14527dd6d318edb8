/**
 * `maestro validate`: every problem of some workflows, and what a rollback of them would undo.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import { checkWorkflow } from "../library/check.ts";
import { explainRollback } from "../workflow/explain_rollback.ts";
import type { Json } from "../workflow/json.ts";
import { sortProblems } from "../workflow/problems.ts";
import { EXIT } from "./exit_code.ts";
import { type Io, printJson } from "./io.ts";
import { paintWith } from "./palette.ts";
import { problemsJson, problemText, tally } from "./problem_text.ts";
import { rollbackJson, rollbackText } from "./rollback_text.ts";

/** The options of `validate`. */
export interface ValidateFlags {
  readonly strict?: true | undefined;
  readonly online?: true | undefined;
  readonly explain?: true | undefined;
  readonly output: "pretty" | "json";
}

/** Checks workflows' files. @returns the exit code */
export async function validateCommand(
  files: readonly string[],
  flags: ValidateFlags,
  io: Io,
): Promise<number> {
  const found: Problem[] = [];
  const explained: Json[] = [];
  for (const file of files) {
    const { workflow, problems: offline, texts } = await checkWorkflow(file);
    const broken = offline.some(({ severity }) => severity === "error");
    const online = flags.online && workflow !== null && !broken
      ? await (await import("./check_online.ts")).checkOnline(workflow, io)
      : [];
    const problems = sortProblems([...offline, ...online], [...texts.keys()]);
    for (const problem of problems) found.push(problem); // there may be more than a call takes arguments
    const failing = flags.explain && workflow !== null && !broken
      ? { workflow, steps: explainRollback(workflow) }
      : null;
    if (flags.output === "json") {
      if (failing !== null) explained.push(rollbackJson(file, failing.workflow, failing.steps));
      continue;
    }
    io.stderr.write(problemText(problems, texts, paintWith(io.stderr.colour)));
    io.stdout.write(`${file}: ${problems.length === 0 ? "ok" : tally(problems)}\n`);
    if (failing === null) continue;
    const { stdout } = io;
    stdout.write(`\n${rollbackText(failing.workflow, failing.steps, paintWith(stdout.colour))}\n`);
  }
  if (flags.output === "json") {
    printJson(io, { ...problemsJson(found), ...(flags.explain && { rollback: explained }) });
  }
  const fails = found.some(({ severity }) => severity === "error" || flags.strict);
  return fails ? EXIT.invalid : EXIT.completed;
}
