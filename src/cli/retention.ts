import type { Journal } from "../engine/doors.ts";
import { parseSpan } from "./span_option.ts";

/** How long ended runs are kept, as given. */
export interface RetentionFlags {
  readonly retention?: string | undefined;
}

/**
 * Drops the runs that ended longer ago than `--retention` says; without it, none.
 *
 * @throws {MaestroError} `STORE_FAILED`
 */
export async function pruneOlder(journal: Journal, retention: string | undefined): Promise<void> {
  if (retention === undefined) return;
  await journal.prune(Date.now() - parseSpan(retention, "--retention"));
}
