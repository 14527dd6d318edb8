import type { ErrorCode } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import type { Role } from "./operations.ts";

/** Something that somebody did, or was refused. */
export interface AuditEntry {
  /** As the list of tokens has them; `null`: nobody that it has. */
  readonly who: string | null;
  /** What they may do. */
  readonly role: Role | null;
  /**
   * `start`, `cancel`, `signal`, `resolve`, `resume`, `prune`, `forceOpen` or `reset`; of nobody that is
   * known, what was called.
   */
  readonly action: string;
  /** What it was done to, where it was a run. */
  readonly runId: string | null;
  /** Why it was not done; `null`: it was. */
  readonly refused: ErrorCode | null;
  /** What else there is to say; never a payload, never a token. */
  readonly more: Readonly<Record<string, Json>>;
}
