import { fromCallback } from "xstate";
import type { Answered, Attempt, Board } from "./board.ts";

/** The actor of one attempt: it asks the board and sends one event back. Stopping it cancels the attempt. */
export const attemptEffect = fromCallback<Answered, { board: Board; attempt: Attempt }>(
  ({ input, sendBack }) => input.board.attempt(input.attempt, sendBack),
);

/** The event of a {@linkcode timerEffect}. */
export interface Time {
  readonly type: "time";
}

/** An actor that sends one `time` event at a moment; without one, never. */
export const timerEffect = fromCallback<Time, { board: Pick<Board, "wake">; dueAt: number | null }>(
  ({ input, sendBack }) =>
    input.dueAt === null
      ? undefined
      : input.board.wake(input.dueAt, () => sendBack({ type: "time" })),
);
