import type { RunStatus } from "../../../src/engine/report.ts";
import type { ListRunsQuery } from "../../../src/server/operations.ts";
import { STATUSES } from "../ui/status_badge.tsx";

/** Which runs are looked at, as the address has it. */
export interface RunFilters {
  readonly status: RunStatus | null;
  readonly workflow: string;
  readonly text: string;
  /** How far back, such as `1h`; or a time as RFC 3339. `""`: all. */
  readonly since: string;
  /** A time as RFC 3339 or of a date field; `""`: until now. */
  readonly until: string;
  readonly pageToken: string;
}

/** How far back one may look with one click. */
export const SPANS: readonly { readonly value: string; readonly name: string }[] = [
  { value: "", name: "Any time" },
  { value: "15m", name: "Last 15 minutes" },
  { value: "1h", name: "Last hour" },
  { value: "24h", name: "Last 24 hours" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
];

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** From an address's query. */
export function readFilters(query: URLSearchParams): RunFilters {
  const status = query.get("status");
  return {
    status: STATUSES.find((one) => one === status) ?? null,
    workflow: query.get("workflow") ?? "",
    text: query.get("text") ?? "",
    since: query.get("since") ?? "",
    until: query.get("until") ?? "",
    pageToken: query.get("page_token") ?? "",
  };
}

/** As the API is asked, at a moment. */
export function queryOf(filters: RunFilters, now: number, pageSize: number): ListRunsQuery {
  const since = momentOf(filters.since, now);
  const until = momentOf(filters.until, now);
  return {
    page_size: pageSize,
    ...filters.status === null ? {} : { status: filters.status },
    ...filters.workflow === "" ? {} : { workflow: filters.workflow },
    ...filters.text === "" ? {} : { text: filters.text },
    ...since === null ? {} : { since },
    ...until === null ? {} : { until },
    ...filters.pageToken === "" ? {} : { page_token: filters.pageToken },
  };
}

/** A moment as RFC 3339, from a span back or from a time; `null`: none that can be read. */
function momentOf(text: string, now: number): string | null {
  const span = /^(\d+)([mhd])$/.exec(text);
  const unit = UNITS[span?.[2] ?? ""];
  // To the whole minute: a page's token holds for the filters that it was made with.
  if (unit !== undefined) {
    return new Date(Math.floor((now - Number(span?.[1]) * unit) / 60_000) * 60_000).toISOString();
  }
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** Whether anything is left out. */
export function isFiltered({ status, workflow, text, since, until }: RunFilters): boolean {
  return status !== null || [workflow, text, since, until].some((value) => value !== "");
}
