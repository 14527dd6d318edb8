import type { Board } from "./board.ts";
import type { Receiver } from "./machine.ts";

/** That a moment has come. */
export interface Time {
  readonly type: "time";
}

/** Sends `time` at a moment, in milliseconds since the epoch; without one, never. The returned function takes that back. */
export function wakeAt(
  board: Pick<Board, "wake">,
  dueAt: number | null,
  waiter: Receiver<Time>,
): () => void {
  return dueAt === null ? () => {} : board.wake(dueAt, () => waiter.send({ type: "time" }));
}
