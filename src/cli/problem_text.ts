import type { MaestroError, Problem } from "../errors.ts";
import { formatProblem } from "../workflow/problems.ts";
import type { Paint } from "./palette.ts";

/** The problems of an error; one that has none is a problem itself. */
export function problemsOf(error: MaestroError): readonly Problem[] {
  if (error.problems.length > 0) return error.problems;
  return [{
    severity: "error",
    code: error.code.toLowerCase(),
    message: error.message,
    file: null,
    line: null,
    column: null,
  }];
}

/** Problems for people: `file:line:column: message`, the line and a caret, and how many there are. */
export function problemText(
  problems: readonly Problem[],
  texts: ReadonlyMap<string, string>,
  paint: Paint,
): string {
  const shown = problems.map((problem) => {
    const [head = "", ...lines] = formatProblem(problem, texts.get(problem.file ?? "")).split("\n");
    const tone = problem.severity === "error" ? "bad" : "warn";
    const label = problem.file === null ? paint(tone, `${problem.severity}: `) : "";
    const text = problem.file === null ? head.replace(/^warning: /, "") : paint("strong", head);
    return [label + text, ...lines.map((line) => /^\s*\^$/.test(line) ? paint(tone, line) : line)]
      .join("\n");
  });
  return shown.map((text) => `${text}\n`).join("");
}

/** `2 errors, 1 warning`. */
export function tally(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const some = (number: number, noun: string) =>
    number === 0 ? [] : [`${number} ${noun}${number === 1 ? "" : "s"}`];
  return [...some(errors, "error"), ...some(warnings, "warning")].join(", ");
}
