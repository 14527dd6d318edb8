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

/** So many problems are shown to people: nobody reads on, and the rest may follow from them. */
const MOST_SHOWN = 100;
/** So many are given to programs. */
const MOST_GIVEN = 1_000;

/** Problems for programs. `left_out` says how many more there are, where it is too many. */
export function problemsJson(
  problems: readonly Problem[],
): { readonly problems: readonly Problem[]; readonly left_out?: number } {
  const given = foremost(problems, MOST_GIVEN);
  const leftOut = problems.length - given.length;
  return { problems: given, ...(leftOut > 0 && { left_out: leftOut }) };
}

/** The first so many; where not all fit, errors come before warnings. */
function foremost(problems: readonly Problem[], most: number): readonly Problem[] {
  if (problems.length <= most) return problems;
  const { error = [], warning = [] } = Object.groupBy(problems, ({ severity }) => severity);
  return [...error.slice(0, most), ...warning.slice(0, Math.max(0, most - error.length))];
}

/** Problems for people: `file:line:column: message`, the line and a caret, and how many more there are. */
export function problemText(
  problems: readonly Problem[],
  texts: ReadonlyMap<string, string>,
  paint: Paint,
): string {
  const first = foremost(problems, MOST_SHOWN);
  const more = problems.length - first.length;
  const shown = first.map((problem) => {
    const [head = "", ...lines] = formatProblem(problem, texts.get(problem.file ?? "")).split("\n");
    const tone = problem.severity === "error" ? "bad" : "warn";
    const label = problem.file === null ? paint(tone, `${problem.severity}: `) : "";
    const text = problem.file === null ? head.replace(/^warning: /, "") : paint("strong", head);
    return [label + text, ...lines.map((line) => /^\s*\^$/.test(line) ? paint(tone, line) : line)]
      .join("\n");
  });
  const rest = more > 0 ? [`… and ${more} more ${more === 1 ? "problem" : "problems"}`] : [];
  return [...shown, ...rest].map((text) => `${text}\n`).join("");
}

/** `2 errors, 1 warning`. */
export function tally(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const some = (number: number, noun: string) =>
    number === 0 ? [] : [`${number} ${noun}${number === 1 ? "" : "s"}`];
  return [...some(errors, "error"), ...some(warnings, "warning")].join(", ");
}
