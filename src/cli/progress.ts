import type { Happening } from "../engine/live_run.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Output } from "./output.ts";
import { plainLine } from "./plain_lines.ts";
import { emptyView, hear } from "./run_view.ts";

/** Shows how a run goes while it goes. */
export interface Progress {
  hear(event: Happening): void;
  /** Ctrl-C was pressed, once. */
  interrupted(): void;
  /** Shows the last state, and lets go of the terminal. */
  end(): void;
}

/** What progress is made with. */
export interface ProgressOptions {
  readonly workflow: Workflow;
  readonly output: Output;
  /** Takes secrets out of a text. */
  readonly mask: (text: string) => string;
}

/** Shows nothing. */
export const silentProgress: Progress = { hear: () => {}, interrupted: () => {}, end: () => {} };

/** One plain line an event. */
export function plainProgress({ workflow, output, mask }: ProgressOptions): Progress {
  const view = emptyView();
  return {
    hear(event) {
      hear(view, event);
      const line = plainLine(workflow, view, event);
      if (line !== null) output.write(mask(`${line}\n`));
    },
    interrupted: () =>
      output.write(`${" ".repeat(7)}  Ctrl-C: cancelling; once more leaves at once\n`),
    end: () => {},
  };
}
