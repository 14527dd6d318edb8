import type { PrunedRuns } from "../../server/operations.ts";
import { formatDuration } from "../../workflow/durations.ts";
import type { ServerPlace } from "../store_option.ts";
import { Api } from "./api.ts";

/** Has a server drop the runs that ended longer ago than a span, in milliseconds. @returns how many */
export async function remotePrune(place: ServerPlace, span: number): Promise<number> {
  const api = await Api.open(place);
  const request = { older_than: formatDuration(span) };
  for (let dropped = 0;;) {
    const part = await api.post<PrunedRuns>("/runs:prune", request); // so many at a time
    dropped += part.dropped;
    if (!part.more) return dropped;
  }
}
