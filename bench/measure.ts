/** What one side of a comparison came to. */
export interface Measured {
  readonly callsPerSecond: number;
  /** Of one round, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * Runs rounds for a while, this many at a time.
 *
 * @param options.calls how many a round makes. Default: 2
 */
export async function measure(
  round: () => Promise<unknown>,
  options: {
    readonly concurrency: number;
    readonly milliseconds: number;
    readonly calls?: number;
  },
): Promise<Measured> {
  const times: number[] = [];
  const began = performance.now();
  const end = began + options.milliseconds;
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      while (performance.now() < end) {
        const start = performance.now();
        await round();
        times.push(performance.now() - start);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  const { calls = 2 } = options;
  return { callsPerSecond: times.length * calls / seconds, p50: at(0.5), p99: at(0.99) };
}

/** The middle of several figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
