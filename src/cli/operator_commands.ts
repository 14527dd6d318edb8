/**
 * What an operator can type to get a run going again.
 *
 * @module
 */
import type { AttentionReport } from "../engine/report.ts";
import { type Place, placeOption, shellWord, showCommand } from "./store_option.ts";

/** So many parked steps are given their commands. */
const MOST = 3;

/** The commands for what waits for an operator, to the letter, each with what it does. */
export function operatorCommands(
  runId: string,
  attention: readonly AttentionReport[],
  place: Place,
): string[] {
  const id = shellWord(runId);
  const commands = attention.slice(0, MOST).flatMap(({ step, op }) => {
    const [skipped, aborted] = MEANINGS[op];
    const resolve = `maestro runs resolve ${id} --step ${shellWord(step)}`;
    const rest = `--reason "…"${placeOption(place)}`;
    return [
      [`${resolve} --retry ${rest}`, op === "verify" ? "asks again" : RETRIED],
      [`${resolve} --skip ${rest}`, skipped],
      [`${resolve} --abort ${rest}`, aborted],
    ] as const;
  });
  const width = Math.max(0, ...commands.map(([command]) => command.length));
  const more = attention.length - MOST;
  return [
    ...commands.map(([command, does]) => `${command.padEnd(width)}  # ${does}`),
    ...(more > 0 ? [`${showCommand(runId, place)}  # ${more} more`] : []),
  ];
}

const RETRIED = "tries it again; --input JSON: with another request";

/** What leaving it out does, and what an end does. */
const MEANINGS: Readonly<Record<AttentionReport["op"], readonly [string, string]>> = {
  action: [
    "the step counts as done; --output JSON: with this output",
    "ends the run here; nothing is undone",
  ],
  verify: [
    "it stays in doubt; --output JSON: it happened, with this output",
    "ends the run here; nothing is undone",
  ],
  compensate: ["leaves it undone, and goes on with the rollback", "ends the rollback here"],
};
