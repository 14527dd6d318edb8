import { isLocked } from "./faults.ts";

/** How soon a lock that another process has is tried again, in milliseconds: mostly it is kept for as long as a commit takes. */
const AGAIN = 10;

/**
 * Does what another process's lock may be in the way of, at once where it is not. Waiting holds up
 * nothing else, unlike SQLite's own.
 *
 * @param timeout for how long it is tried, in milliseconds
 * @throws what it threw at last
 */
export async function patiently<T>(timeout: number, action: () => T): Promise<T> {
  const until = performance.now() + timeout;
  for (;;) {
    try {
      return action();
    } catch (thrown) {
      if (!isLocked(thrown) || performance.now() >= until) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}
