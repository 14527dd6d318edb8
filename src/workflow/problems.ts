import type { Problem } from "../errors.ts";
import type { Place } from "./model.ts";

/** An error at a place. */
export function problemAt(place: Place, code: string, message: string): Problem {
  return { severity: "error", code, message, ...place };
}

/** A warning at a place. */
export function warningAt(place: Place, code: string, message: string): Problem {
  return { severity: "warning", code, message, ...place };
}

/**
 * In file order, each once. Files come in the order given; those that are not in it come last, by
 * name.
 */
export function sortProblems(
  problems: readonly Problem[],
  files: readonly string[],
): readonly Problem[] {
  const rank = ({ file }: Problem) => {
    const at = files.indexOf(file ?? "");
    return at === -1 ? files.length : at;
  };
  const distinct = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...distinct.values()].sort((a, b) =>
    rank(a) - rank(b) || compare(a.file ?? "", b.file ?? "") ||
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const WIDEST = 120;

/**
 * A problem as a compiler would print it: `file:line:column: message`, the line it is about, and a
 * caret under the place. A warning says so. Lines that are too long are cut around the caret.
 *
 * @param text the file's text; left out, the line is not shown
 */
export function formatProblem(problem: Problem, text?: string): string {
  const { severity, message, file, line, column } = problem;
  const where = [file, line, column].filter((part) => part !== null).join(":");
  const head = (where === "" ? "" : `${where}: `) + (severity === "warning" ? "warning: " : "") +
    message;
  if (text === undefined || line === null || column === null) return head;
  const whole = text.split("\n", line)[line - 1]?.replace(/\r$/, "");
  if (whole === undefined || whole.trim() === "") return head;
  const from = column > WIDEST - 20 ? Math.min(column - 41, whole.length) : 0;
  const shown = whole.slice(from, from + WIDEST);
  // Tabs stay tabs under tabs, so that the caret stands right however wide they are.
  const gap = shown.slice(0, column - 1 - from).replaceAll(/[^\t]/g, " ").padEnd(column - 1 - from);
  return `${head}\n  ${shown}\n  ${gap}^`;
}
