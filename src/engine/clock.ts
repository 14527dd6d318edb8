import type { Clock } from "./doors.ts";

/** The longest delay a JavaScript timer keeps: 2^31 - 1 ms; beyond it, it would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(dueAt, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = dueAt - Date.now();
      timer = left <= 0
        ? setTimeout(callback, 0)
        : setTimeout(wait, Math.min(Math.ceil(left), LONGEST_DELAY));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
