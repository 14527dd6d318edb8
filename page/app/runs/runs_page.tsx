import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { RunPage } from "../../../src/server/operations.ts";
import { countRuns, listRuns } from "../api/api.ts";
import { useResource } from "../api/resource.ts";
import { here, withQuery } from "../router.ts";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { FilterBar } from "./filter_bar.tsx";
import { useLive } from "./live_list.ts";
import { isFiltered, queryOf, readFilters } from "./run_filters.ts";
import { RunTable } from "./run_table.tsx";
import { StatusFilter } from "./status_filter.tsx";

const PAGE_SIZE = 50;

/** All runs, the newest first, as they start and end. */
export function RunsPage(): VNode {
  const filters = readFilters(here.value.query);
  const runs = useResource(
    `runs ${JSON.stringify(filters)}`,
    (signal) => listRuns(queryOf(filters, Date.now(), PAGE_SIZE), signal),
  );
  const counts = useResource("counts", countRuns);
  useLive(runs, counts);
  const { data, error } = runs;
  // Until the answer is there, what was seen before stays: a list that blinks can't be read.
  const shown = useRef<RunPage | null>(null);
  shown.current = data.value ?? shown.current;
  return (
    <>
      <div class="page-head">
        <PageTitle name="Runs" />
        <a class="button button-primary" href="/workflows">Start a run</a>
      </div>
      <StatusFilter counts={counts.data.value} selected={filters.status} />
      <FilterBar
        filters={filters}
        seen={(shown.current?.runs ?? []).map(({ workflow }) => workflow)}
      />
      {error.value !== null && <Problem error={error.value} onRetry={runs.refresh} />}
      {data.value === null
        ? error.value === null && (shown.current === null
          ? <Loading what="runs" />
          : <RunTable runs={shown.current.runs} isStale />)
        : data.value.runs.length > 0
        ? <RunTable runs={data.value.runs} />
        : isFiltered(filters)
        ? (
          <Empty title="No run fits these filters">
            <a class="button" href="/runs">Show all runs</a>
          </Empty>
        )
        : (
          <Empty title="Nothing has run yet">
            <p>
              Start one of the workflows here, over the API, or with <code>maestro run</code>.
            </p>
            <a class="button" href="/workflows">See the workflows</a>
          </Empty>
        )}
      {data.value !== null && <Pager page={data.value} since={sinceOf()} />}
    </>
  );

  /** A page's token holds for the filters that it was made with, so a span becomes a moment. */
  function sinceOf(): string | null {
    return queryOf(filters, Date.now(), PAGE_SIZE).since ?? null;
  }
}

/** Tokens lead to what is older only: those of pages that were seen, by that of the page after. */
const before = new Map<string, string>();

function Pager({ page, since }: {
  readonly page: RunPage;
  readonly since: string | null;
}): VNode | null {
  const isFirst = !here.value.query.has("page_token");
  const next = page.next_page_token;
  if (isFirst && next === "") return null;
  const token = here.value.query.get("page_token") ?? "";
  if (next !== "") before.set(next, token);
  const newer = before.get(token);
  return (
    <nav class="pager" aria-label="Pages of runs">
      <span class="pager-back">
        {!isFirst && <a class="button" href={withQuery({ page_token: null })}>← Newest</a>}
        {newer && <a class="button" href={withQuery({ page_token: newer })}>← Newer</a>}
      </span>
      {next === ""
        ? <span class="muted">These are the oldest</span>
        : <a class="button" href={withQuery({ page_token: next, since })}>Older →</a>}
    </nav>
  );
}
