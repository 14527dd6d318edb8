import type { Clock } from "./doors.ts";

/** The longest that a wait goes without a look at the time, in milliseconds: the wall's clock may have jumped, or the machine slept. */
const LOOK_EVERY = 10_000;

/** What a clock is made of. */
export interface TimeSources {
  /** Milliseconds since the epoch: may be set, back or forth. */
  readonly wall: () => number;
  /** Milliseconds since some moment: can't be set, may stand still while the machine sleeps. */
  readonly steady: () => number;
  /** Calls back after so many milliseconds; the returned function takes that back. */
  readonly after: (delay: number, callback: () => void) => () => void;
}

/**
 * A clock that never goes back. Where the wall's is set back it goes on as if that had not happened,
 * so that no wait takes longer; where it is set forward it follows, and waits that are over end.
 */
export function clockOf({ wall, steady, after }: TimeSources): Clock {
  /** What is added to the steady time. */
  let offset = -Infinity;
  let last = -Infinity;
  const now = () => {
    const [moment, passed] = [wall(), steady()];
    offset = Math.max(offset, moment - passed);
    return last = Math.max(last, moment, Math.floor(passed + offset));
  };
  return {
    now,
    at(dueAt, callback) {
      let takeBack: () => void;
      const wait = () => {
        const left = dueAt - now();
        takeBack = left <= 0
          ? after(0, callback)
          : after(Math.min(Math.ceil(left), LOOK_EVERY), wait);
      };
      wait();
      return () => takeBack();
    },
  };
}

/** The machine's clock. */
export const systemClock: Clock = clockOf({
  wall: () => Date.now(),
  steady: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
});
