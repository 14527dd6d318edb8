import type { ResultWindow, WindowFigures } from "./result_window.ts";

/** The last so many results. */
export class CountWindow implements ResultWindow {
  readonly #size: number;
  /** A ring, once it is full: 1 for a failure, 2 for a slow call, 3 for both. */
  #marks: number[] = [];
  #next = 0;
  #failures = 0;
  #slow = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get calls(): number {
    return this.#marks.length;
  }

  get failures(): number {
    return this.#failures;
  }

  get slow(): number {
    return this.#slow;
  }

  add(_at: number, failure: boolean, slow: boolean): void {
    const oldest = this.#marks.length === this.#size ? this.#marks[this.#next] ?? 0 : 0;
    this.#failures += Number(failure) - (oldest & 1);
    this.#slow += Number(slow) - (oldest >> 1);
    this.#marks[this.#next] = Number(failure) + 2 * Number(slow);
    this.#next = (this.#next + 1) % this.#size;
  }

  figures(): WindowFigures {
    return { calls: this.calls, failures: this.#failures, slow: this.#slow };
  }

  clear(): void {
    this.#marks = [];
    this.#next = this.#failures = this.#slow = 0;
  }
}
