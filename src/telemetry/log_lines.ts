/** Lines that may wait at most; what comes beyond is dropped, and how much is told. */
const BUFFER = 50_000;

/** How long a line may wait, in milliseconds. */
const FLUSH_EVERY = 50;

/**
 * The lines of a log on their way to where they are written, many at once, so that nobody waits for a
 * slow one.
 */
export class LogLines {
  readonly #write: (text: string) => void | Promise<void>;
  readonly #gap: (dropped: number) => string;
  #waiting: string[] = [];
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The writing under way: one after the other. */
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param write takes whole lines; what it throws is swallowed: a log that can't be written stops no run
   * @param gap the line that tells of so many that were dropped
   */
  constructor(
    write: (text: string) => void | Promise<void>,
    gap: (dropped: number) => string,
  ) {
    this.#write = write;
    this.#gap = gap;
  }

  /** @param isKept whether it is written however many wait */
  add(line: string, isKept: boolean): void {
    if (this.#waiting.length >= BUFFER && !isKept) this.#dropped++;
    else this.#waiting.push(line);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY);
  }

  /** Writes what waits. @returns resolves once all of it is written */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    if (this.#dropped > 0) this.#waiting.push(this.#gap(this.#dropped));
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#dropped = 0;
    try {
      if (text !== "") await this.#write(text);
    } catch { /* see above */ }
  }
}
