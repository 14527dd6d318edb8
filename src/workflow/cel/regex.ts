import { celEnv, isCelError } from "@bufbuild/cel";
import type { Budget } from "./budget.ts";
import { wrong } from "./fault.ts";

/** The library's RE2: its time grows linearly with the text. */
const MATCHES = celEnv().funcs.find("matches");

/** For compiling a short expression, which is done on each call. */
const COMPILE_STEPS = 300;

/**
 * Whether a regular expression (RE2) finds something in the text.
 *
 * @throws {Fault} for an expression that is not RE2
 */
export function matches(text: string, pattern: string, budget: Budget): boolean {
  const states = statesOf(pattern);
  budget.spend(COMPILE_STEPS + (pattern.length + states) * 10 + text.length * states / 8);
  const found = MATCHES?.call(0, text, [pattern]);
  if (typeof found === "boolean") return found;
  throw wrong(
    isCelError(found) ? "the regular expression is not valid RE2" : "matches() is not available",
  );
}

/** What compiling, and each character of the text, may cost grows with the counted repeats (`{1,900}`). */
function statesOf(pattern: string): number {
  let states = 1;
  for (const match of pattern.matchAll(/\{(\d+)(?:,(\d+))?/g)) {
    states = Math.min(1000, states * Math.max(1, Number(match[2] ?? match[1])));
  }
  return states;
}
