import { createHash, timingSafeEqual } from "node:crypto";
import { MaestroError } from "../errors.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";
import type { Caller, Role } from "./operations.ts";
import { ROLES } from "./roles.ts";

/** How often it is looked whether the file has changed, in milliseconds. */
const LOOK_EVERY = 1_000;

interface Entry extends Caller {
  readonly digest: Uint8Array;
}

/**
 * Who may ask, by their tokens. The file has one line a token: a name, a role, and the token's SHA-256
 * in hex; `#` begins a comment. A token is long and random, so a plain digest keeps it. The file is
 * read again when it changes; while it has mistakes, what it said before holds.
 */
export class Tokens {
  readonly #path: string;
  readonly #onBroken: (error: MaestroError) => void;
  #entries: readonly Entry[];
  #stamp: string;
  #lookedAt = Date.now();

  /**
   * @param onBroken hears of mistakes that came into the file later
   * @throws {MaestroError} `USAGE` where it can't be read, or has mistakes
   */
  constructor(path: string, onBroken: (error: MaestroError) => void = () => {}) {
    this.#path = path;
    this.#onBroken = onBroken;
    this.#stamp = this.#stampNow();
    this.#entries = this.#read();
  }

  /** Whose token it is. @throws {MaestroError} `UNAUTHENTICATED` */
  callerOf(token: string): Caller {
    this.#look();
    const digest = createHash("sha256").update(token).digest();
    // All are compared, so that the time it takes says nothing.
    const [entry] = this.#entries.filter((entry) => timingSafeEqual(entry.digest, digest));
    if (entry !== undefined) return { name: entry.name, role: entry.role };
    throw new MaestroError("UNAUTHENTICATED", "This token is not known here");
  }

  #look(): void {
    const now = Date.now();
    if (now - this.#lookedAt < LOOK_EVERY && now >= this.#lookedAt) return;
    this.#lookedAt = now;
    const stamp = this.#stampNow();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#entries = this.#read();
    } catch (thrown) {
      this.#onBroken(MaestroError.from(thrown));
    }
  }

  #read(): readonly Entry[] {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (thrown) {
      throw this.#wrong(whyUnreadable(thrown));
    }
    const entries = text.split("\n").flatMap((line, index) => {
      const bare = line.replace(/#.*/, "").trim();
      return bare === "" ? [] : [this.#entryOf(bare, index + 1)];
    });
    if (entries.length > 0) return entries;
    throw this.#wrong("there is no token in it");
  }

  #entryOf(line: string, number: number): Entry {
    const [name = "", role = "", digest = "", ...more] = line.split(/\s+/);
    const isWhole = ROLES.includes(role as Role) && /^[0-9a-fA-F]{64}$/.test(digest) &&
      more.length === 0;
    if (isWhole) return { name, role: role as Role, digest: Uint8Array.fromHex(digest) };
    throw this.#wrong(
      `line ${number} is not a name, a role (${
        ROLES.join(", ")
      }) and the SHA-256 of a token in hex`,
    );
  }

  #wrong(why: string): MaestroError {
    return new MaestroError("USAGE", `Cannot use the tokens in "${this.#path}": ${why}`);
  }

  #stampNow(): string {
    try {
      const { mtime, size, ino } = Deno.statSync(this.#path);
      return `${mtime?.getTime()}:${size}:${ino}`;
    } catch {
      return "missing";
    }
  }
}
