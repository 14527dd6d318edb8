import { createLogUpdate } from "log-update";
import type { Output } from "./output.ts";
import { paintWith } from "./palette.ts";
import type { Progress, ProgressOptions } from "./progress.ts";
import { emptyView, hear } from "./run_view.ts";
import { renderTree } from "./tree.ts";

/** How often what is under way is drawn again, in milliseconds. */
const FRAME = 100;

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/** A tree that is drawn again in its place as the run goes on. Only for a terminal. */
export function liveTree({ workflow, output, mask }: ProgressOptions): Progress {
  const view = emptyView();
  // The cursor is ours: log-update's way of hiding it would take Ctrl-C from the run.
  const update = createLogUpdate(streamOf(output), { showCursor: true });
  const paint = paintWith(output.colour);
  let hint = "Ctrl-C cancels and rolls back";
  let interrupted = false;
  let timer: ReturnType<typeof setInterval> | undefined;

  const draw = (height?: number) =>
    mask(renderTree(workflow, view, Date.now(), {
      width: output.width(),
      ...(height !== undefined && { height }),
      paint,
      hint,
    }));
  const redraw = () => update(draw(output.height() - 1));

  return {
    hear(event) {
      hear(view, event);
      if (event.kind === "run_started") {
        output.write(HIDE_CURSOR);
        redraw();
        timer = setInterval(redraw, FRAME); // many facts may come in one moment; a frame shows them all
      }
      if (event.kind === "rollback_started" && !interrupted) hint = ""; // nothing cancels that
    },
    interrupted() {
      interrupted = true;
      hint = "Ctrl-C again leaves at once";
      redraw();
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
