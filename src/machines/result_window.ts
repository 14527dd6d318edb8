/** What a window of results holds. */
export interface WindowFigures {
  /** Finished calls, the ignored ones not among them. */
  readonly calls: number;
  /** Those of them that failed. */
  readonly failures: number;
  /** Those of them that were slow, whether they failed or not. */
  readonly slow: number;
}

/** The results that a closed breaker looks at. Its figures are kept as they change: a result costs the same at any rate. */
export interface ResultWindow extends WindowFigures {
  /** Adds a result, and forgets what is too old or too many. */
  add(at: number, failure: boolean, slow: boolean): void;
  /** The figures without what is too old at that moment. */
  figures(now: number): WindowFigures;
  /** Forgets everything. */
  clear(): void;
}
