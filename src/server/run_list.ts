import type { Journal, RunQuery } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import type { ListRunsQuery, RunPage } from "./operations.ts";
import { pageLimit } from "./page_size.ts";
import { pageToken, readPageToken } from "./page_token.ts";
import { timeOf } from "./request_parts.ts";
import { summaryJson } from "./run_summary.ts";

/** One page of the runs that fit. @throws {MaestroError} `USAGE` */
export async function listRuns(
  journal: Pick<Journal, "list">,
  query: ListRunsQuery,
): Promise<RunPage> {
  const { page_size: size = 0, page_token: token, ...filters } = query;
  if (!Number.isInteger(size) || size < 0) {
    throw new MaestroError("USAGE", `Cannot use ${size} as "page_size": it is a whole number`);
  }
  const { since, until, ...same } = filters;
  const limit = pageLimit(size);
  const wanted: RunQuery = {
    ...same,
    ...(since !== undefined && { since: timeOf("since", since) }),
    ...(until !== undefined && { until: timeOf("until", until) }),
    ...(token !== undefined && token !== "" && {
      after: readPageToken(token, filters as unknown as Json),
    }),
    limit: limit + 1,
  };
  const found = await journal.list(wanted);
  const runs = found.slice(0, limit);
  const last = runs.at(-1);
  return {
    runs: runs.map(summaryJson),
    next_page_token: found.length > limit && last !== undefined
      ? pageToken(last.runId, filters as unknown as Json)
      : "",
  };
}
