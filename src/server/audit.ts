import type { Json } from "../workflow/json.ts";
import type { Role } from "./operations.ts";

/** Something that somebody did, and that was done. */
export interface AuditEntry {
  /** As the list of tokens has them. */
  readonly who: string;
  /** What they may do. */
  readonly role: Role;
  /** `start`, `cancel`, `signal`, `resolve`, `resume`, `prune`, `forceOpen` or `reset`. */
  readonly action: string;
  /** What it was done to, where it was a run. */
  readonly runId: string | null;
  /** What else there is to say; never a payload. */
  readonly more: Readonly<Record<string, Json>>;
}
