import { MaestroError } from "../errors.ts";

/** How many may wait for each one that may be under way. */
const MAY_WAIT = 10;

/** How long one waits at most, in milliseconds. */
const PATIENCE = 30_000;

/** Lets so many runs be started at a time; others wait for their turn, first come first served. */
export class Admission {
  readonly #most: number;
  /** How many are under way by now. */
  readonly #underWay: () => number;
  /** Those that were let in and are not under way yet. */
  #entering = 0;
  readonly #queue: {
    readonly enter: () => void;
    readonly refuse: (error: MaestroError) => void;
  }[] = [];
  /** Why nobody is let in any more. */
  #closed: MaestroError | null = null;

  constructor(most: number, underWay: () => number) {
    this.#most = most;
    this.#underWay = underWay;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Starts something when there is room. @throws {MaestroError} `OVERLOADED`, and what it was closed with */
  async enter<T>(start: () => Promise<T>): Promise<T> {
    if (this.#closed !== null) throw this.#closed;
    if (this.#queue.length > 0 || !this.#hasRoom()) await this.#turn();
    else this.#entering++;
    try {
      return await start();
    } finally {
      this.#entering--;
      this.look();
    }
  }

  /** Something has ended: there may be room. */
  look(): void {
    while (this.#queue.length > 0 && this.#hasRoom()) {
      this.#entering++;
      this.#queue.shift()?.enter();
    }
  }

  /** Nobody is let in any more. */
  close(error: MaestroError): void {
    this.#closed = error;
    for (const { refuse } of this.#queue.splice(0)) refuse(error);
  }

  #hasRoom(): boolean {
    return this.#underWay() + this.#entering < this.#most;
  }

  #turn(): Promise<void> {
    if (this.#queue.length >= this.#most * MAY_WAIT) throw this.#full("as many wait as may");
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#queue.splice(this.#queue.indexOf(place), 1);
        reject(this.#full(`none ended within ${PATIENCE / 1_000} s`));
      };
      const timer = setTimeout(late, PATIENCE);
      const place = {
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: (error: MaestroError) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#queue.push(place);
    });
  }

  #full(why: string): MaestroError {
    return new MaestroError(
      "OVERLOADED",
      `${this.#most} runs are under way, which is the most that this server takes on, and ${why}; try again later`,
    );
  }
}
