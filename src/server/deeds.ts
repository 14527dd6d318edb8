import { MaestroError } from "../errors.ts";
import type { AuditEntry } from "./audit.ts";
import type { Caller, Role } from "./operations.ts";
import { checkRole } from "./roles.ts";

/** What somebody wants to do: for the record, and in words. */
interface Deed {
  readonly action: string;
  readonly what: string;
  readonly runId?: string | null | undefined;
}

/** What people do, and are refused, for the record. */
export class Deeds {
  readonly #audit: (entry: AuditEntry) => void;

  /** @param audit hears of each */
  constructor(audit: (entry: AuditEntry) => void = () => {}) {
    this.#audit = audit;
  }

  /** It was done. */
  record(who: Caller, action: string, runId: string | null, more: AuditEntry["more"] = {}): void {
    this.#audit({ who: who.name, role: who.role, action, runId, refused: null, more });
  }

  /** @throws {MaestroError} `FORBIDDEN` where somebody's role is less than what a deed takes */
  allow({ name, role }: Caller, needed: Role, { action, what, runId = null }: Deed): void {
    try {
      checkRole({ name, role }, needed, what);
    } catch (thrown) {
      const { code, message } = MaestroError.from(thrown);
      const more = { why: message };
      this.#audit({ who: name, role, action, runId, refused: code, more });
      throw thrown;
    }
  }
}
