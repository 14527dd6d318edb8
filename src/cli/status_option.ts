import type { RunStatus } from "../engine/report.ts";
import { MaestroError } from "../errors.ts";
import { didYouMean } from "../workflow/nearest.ts";

/** Where a run may stand. */
const STATUSES: Readonly<Record<RunStatus, true>> = {
  running: true,
  compensating: true,
  needs_attention: true,
  completed: true,
  failed: true,
  compensated: true,
  cancelled: true,
  timed_out: true,
  incomplete: true,
};

/**
 * Reads `--status`.
 *
 * @throws {MaestroError} `USAGE`
 */
export function parseStatus(text: string): RunStatus {
  const known = Object.keys(STATUSES);
  if (isStatus(text)) return text;
  const guess = didYouMean(text, known);
  const remedy = guess === "" ? `; there are ${known.join(", ")}` : guess;
  throw new MaestroError("USAGE", `Cannot use --status "${text}": no run stands so${remedy}`);
}

function isStatus(text: string): text is RunStatus {
  return Object.hasOwn(STATUSES, text);
}
