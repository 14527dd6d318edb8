import { MaestroError } from "../errors.ts";

/** What there is room for at a time, and no more. */
export class Places {
  #taken = 0;

  /** @param what fills them, as the one who finds none is told */
  constructor(readonly most: number, readonly what: string) {}

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** @returns gives the place back @throws {MaestroError} `OVERLOADED` where there is none */
  take(): () => void {
    if (this.#taken >= this.most) {
      throw new MaestroError(
        "OVERLOADED",
        `${this.most} ${this.what}, which is the most that this server takes on; try again later`,
      );
    }
    this.#taken++;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken--;
      isTaken = false;
    };
  }
}

/** Room for streams of events. @param most @default 1,000 */
export function streamPlaces(most = 1_000): Places {
  return new Places(most, "streams are open");
}
