/** How long a store waits, and what tells it the time. */
export interface Timing {
  /** For how long a process is held to be alive after it last said so, in milliseconds. */
  readonly lease: number;
  /** How often it says so, in milliseconds. */
  readonly renewEvery: number;
  /** For how long another process's transaction is waited for, in milliseconds. */
  readonly busyTimeout: number;
  /** Milliseconds since the epoch: what all processes of a machine go by, though it may be set. */
  readonly wall: () => number;
  /** Milliseconds since some moment of this process's own: can't be set. */
  readonly steady: () => number;
}

/** As it is outside of tests; the lease is semantics.md §6's. */
export const TIMING: Timing = {
  lease: 30_000,
  renewEvery: 10_000,
  busyTimeout: 10_000,
  wall: () => Date.now(),
  steady: () => performance.now(),
};
