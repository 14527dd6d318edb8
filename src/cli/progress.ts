import type { Happening } from "../engine/happening.ts";
import type { Workflow } from "../workflow/model.ts";
import type { Output } from "./output.ts";
import { plainLine } from "./plain_lines.ts";
import { type ChildView, emptyView, hear, viewOf } from "./run_view.ts";

/** Shows how a run goes while it goes. */
export interface Progress {
  /** Something happened in the run, or in one that is a child of it; the first heard of is the root. */
  hear(runId: string, workflow: Workflow, event: Happening): void;
  /** Something happened before: it is known, and not told. As {@linkcode hear}. */
  recall(runId: string, workflow: Workflow, event: Happening): void;
  /** A run whose past was recalled goes on. */
  goesOn(): void;
  /** Ctrl-C was pressed, once: the run is asked to turn back. */
  interrupted(): void;
  /** It does not, and why. */
  refused(why: string): void;
  /** The server that has the run can't be asked, and why; `null`: it can again. */
  away(why: string | null): void;
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
export const silentProgress: Progress = {
  hear: () => {},
  recall: () => {},
  goesOn: () => {},
  interrupted: () => {},
  refused: () => {},
  away: () => {},
  end: () => {},
};

/** What is said of a server that can't be asked, and why; `null`: it can again. */
export function awayText(why: string | null): string {
  return why === null ? "The server answers again" : `${why}; trying again`;
}

/** The views of a run and of those below it, moved on by what is heard. */
export class Heard {
  /** The root run's. */
  readonly view: ReturnType<typeof emptyView>;
  #rootId: string | null = null;

  constructor(workflow: Workflow) {
    this.view = emptyView(workflow);
  }

  /** Moves the views on. @returns where it happened; `null`: in no run that is shown, or it is known already */
  hear(runId: string, workflow: Workflow, event: Happening): ChildView | null {
    this.#rootId ??= runId;
    const found = viewOf(
      this.view,
      this.#rootId,
      runId,
      workflow,
      event.kind === "run_started",
    );
    if (found === null || "seq" in event && event.seq <= found.view.state.seq) return null;
    hear(found.view, event);
    return found;
  }
}

/** One plain line an event. */
export function plainProgress({ workflow, output, mask }: ProgressOptions): Progress {
  const heard = new Heard(workflow);
  return {
    hear(runId, workflow, event) {
      const found = heard.hear(runId, workflow, event);
      const line = found === null ? null : plainLine(heard.view, found, event);
      if (line !== null) output.write(mask(`${line}\n`));
    },
    recall(runId, workflow, event) {
      heard.hear(runId, workflow, event);
    },
    goesOn() {
      const { workflow: { name, version }, state } = heard.view;
      const what = version === null ? name : `${name} ${version}`;
      output.write(`${" ".repeat(7)}  run ${state.started?.runId} of ${what} goes on\n`);
    },
    interrupted() {
      output.write(`${" ".repeat(7)}  Ctrl-C: cancelling; once more leaves at once\n`);
    },
    refused(why) {
      output.write(mask(`${" ".repeat(7)}  ${why}\n`));
    },
    away(why) {
      output.write(mask(`${" ".repeat(7)}  ${awayText(why)}\n`));
    },
    end: () => {},
  };
}
