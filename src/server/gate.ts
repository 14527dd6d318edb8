import { MaestroError } from "../errors.ts";
import { callerOf } from "./access.ts";
import type { AuditEntry } from "./audit.ts";
import type { Caller } from "./operations.ts";
import type { Tokens } from "./tokens.ts";

/** How many wrong tokens are recorded in a minute: more are counted, so that strangers can't fill the log. */
const RECORDED_A_MINUTE = 10;

/** What somebody tries to do, as the record has it. */
export interface Attempt {
  /** A method of gRPC, or one of HTTP with its path. */
  readonly action: string;
  /** The address that it came from. */
  readonly from: string | null;
}

/** Lets in whose token is known, and records who tries with another one. */
export class Gate {
  readonly #tokens: Tokens | null;
  readonly #audit: (entry: AuditEntry) => void;
  readonly #now: () => number;
  #since = -Infinity;
  #recorded = 0;
  #unrecorded = 0;

  /**
   * @param tokens `null`: whoever reaches the server may do everything
   * @param now in milliseconds
   */
  constructor(
    tokens: Tokens | null,
    audit: (entry: AuditEntry) => void = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.#tokens = tokens;
    this.#audit = audit;
    this.#now = now;
  }

  /** Who asks, from an `Authorization` header. @throws {MaestroError} `UNAUTHENTICATED` */
  callerOf(authorization: string | null, attempt: Attempt): Caller {
    try {
      return callerOf(this.#tokens, authorization);
    } catch (thrown) {
      // Who sends none claims nothing: browsers do, until they are given one.
      if (authorization) this.#record(attempt, MaestroError.from(thrown));
      throw thrown;
    }
  }

  #record({ action, from }: Attempt, { code, message }: MaestroError): void {
    const now = this.#now();
    if (now - this.#since >= 60_000) {
      this.#since = now;
      this.#recorded = 0;
    }
    if (this.#recorded >= RECORDED_A_MINUTE) {
      this.#unrecorded++;
      return;
    }
    this.#recorded++;
    this.#audit({
      who: null,
      role: null,
      action: action.slice(0, 200),
      runId: null,
      refused: code,
      more: {
        from,
        why: message,
        ...(this.#unrecorded > 0 && { unrecorded: this.#unrecorded }),
      },
    });
    this.#unrecorded = 0;
  }
}
