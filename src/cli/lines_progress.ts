import { eventLine } from "./event_line.ts";
import type { Output } from "./output.ts";
import { awayText, type Progress, silentProgress } from "./progress.ts";

/** One line an event, with the run that it is of: for many runs at once. */
export function linesProgress(output: Output, mask: (text: string) => string): Progress {
  return {
    ...silentProgress,
    hear(runId, _of, event) {
      if ("seq" in event) output.write(mask(`${runId}  ${eventLine(runId, event)}\n`));
    },
    away: (why) => output.write(mask(`${awayText(why)}\n`)),
  };
}
