import { createLogUpdate } from "log-update";
import { pivotOf } from "../machines/pivot.ts";
import type { Output } from "./output.ts";
import { paintWith } from "./palette.ts";
import { awayText, Heard, type Progress, type ProgressOptions } from "./progress.ts";
import { eachView } from "./run_view.ts";
import { renderTree } from "./tree.ts";

/** How often what is under way is drawn again, in milliseconds. */
const FRAME = 100;

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/** A tree that is drawn again in its place as the run goes on. Only for a terminal. */
export function liveTree({ workflow, output, mask }: ProgressOptions): Progress {
  const heard = new Heard(workflow);
  // The cursor is ours: log-update's way of hiding it would take Ctrl-C from the run.
  const update = createLogUpdate(streamOf(output), { showCursor: true });
  const paint = paintWith(output.colour);
  let said: string | null = null;
  let note = "";
  let begun = false;
  let timer: ReturnType<typeof setInterval> | undefined;

  const hint = () => {
    if (said !== null) return said;
    const views = [...eachView(heard.view)];
    if (views.some((view) => pivotOf(view) !== null)) return "past the pivot: no way back";
    // Nothing cancels a rollback.
    return heard.view.state.rollback === null ? "Ctrl-C cancels and rolls back" : "";
  };
  const draw = (height?: number) =>
    mask(renderTree(heard.view, Date.now(), {
      width: output.width(),
      ...(height !== undefined && { height }),
      paint,
      hint: hint(),
      note: heard.view.state.end === null ? note : "",
    }));
  const redraw = () => update(draw(output.height() - 1));

  const begin = () => {
    if (begun) return;
    begun = true;
    output.write(HIDE_CURSOR);
    redraw();
    timer = setInterval(redraw, FRAME); // many facts may come in one moment; a frame shows them all
  };

  return {
    hear(runId, workflow, event) {
      heard.hear(runId, workflow, event);
      if (event.kind === "run_started") begin();
    },
    recall(runId, workflow, event) {
      heard.hear(runId, workflow, event);
    },
    goesOn: begin,
    interrupted() {
      said = "Ctrl-C again leaves at once";
      if (timer !== undefined) redraw();
    },
    refused(why) {
      note = `! ${why}`;
      if (timer !== undefined) redraw();
    },
    away(why) {
      note = why === null ? "" : `! ${awayText(why)}`;
      if (timer !== undefined) redraw();
    },
    end() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      update.clear();
      output.write(`${draw()}\n${SHOW_CURSOR}`);
      update.done();
    },
  };
}

/** The little of a stream that log-update asks for. */
function streamOf(output: Output): NodeJS.WritableStream {
  return {
    isTTY: true,
    get columns() {
      return output.width();
    },
    get rows() {
      return output.height();
    },
    write: (text: string) => output.write(text),
  } as unknown as NodeJS.WritableStream; // it is asked for nothing else
}
