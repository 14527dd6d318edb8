/**
 * `maestro validate`: every problem of some workflows.
 *
 * @module
 */
import type { Problem } from "../errors.ts";
import { checkWorkflow } from "../library/check.ts";
import { sortProblems } from "../workflow/problems.ts";
import { EXIT } from "./exit_code.ts";
import { type Io, printJson } from "./io.ts";
import { paintWith } from "./palette.ts";
import { problemsJson, problemText, tally } from "./problem_text.ts";

/** The options of `validate`. */
export interface ValidateFlags {
  readonly strict?: true | undefined;
  readonly online?: true | undefined;
  readonly output: "pretty" | "json";
}

/** Checks workflows' files. @returns the exit code */
export async function validateCommand(
  files: readonly string[],
  flags: ValidateFlags,
  io: Io,
): Promise<number> {
  const found: Problem[] = [];
  for (const file of files) {
    const { workflow, problems: offline, texts } = await checkWorkflow(file);
    const broken = offline.some(({ severity }) => severity === "error");
    const online = flags.online && workflow !== null && !broken
      ? await (await import("./check_online.ts")).checkOnline(workflow, io)
      : [];
    const problems = sortProblems([...offline, ...online], [...texts.keys()]);
    for (const problem of problems) found.push(problem); // there may be more than a call takes arguments
    if (flags.output === "json") continue;
    io.stderr.write(problemText(problems, texts, paintWith(io.stderr.colour)));
    io.stdout.write(`${file}: ${problems.length === 0 ? "ok" : tally(problems)}\n`);
  }
  if (flags.output === "json") printJson(io, problemsJson(found));
  const fails = found.some(({ severity }) => severity === "error" || flags.strict);
  return fails ? EXIT.invalid : EXIT.completed;
}
