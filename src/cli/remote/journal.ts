import type { RunQuery, RunSummary, StoredFact } from "../../engine/doors.ts";
import type { RunPage, RunSummaryJson } from "../../server/operations.ts";
import type { RunsView } from "../views.ts";
import { type Reads, runPath } from "./api.ts";

/** The most runs that a page may have. */
const LARGEST_PAGE = 1_000;

/** The runs of a server: what is shown of them is folded here, from their facts. */
export function remoteJournal(api: Reads): RunsView {
  /** Which run has a text, by the text's digest. */
  const owners = new Map<string, string>();
  return {
    async *read(runId, after = 0) {
      for (let last = after;;) {
        const { facts } = await api.get<{ facts: StoredFact[] }>(`${runPath(runId)}/facts`, {
          after: last,
        });
        for (const fact of facts) {
          for (const digest of digestsIn(fact)) owners.set(digest, runId);
          yield fact;
          last = fact.seq;
        }
        if (facts.length === 0) return;
      }
    },
    async kept(digest) {
      if (digest === "") return "{}"; // the environment, which a server keeps to itself
      const owner = owners.get(digest);
      if (owner === undefined) return undefined;
      return (await api.get<{ text: string }>(`${runPath(owner)}/text`, { digest })).text;
    },
    async list({ limit = 100, ...query }) {
      const found: RunSummary[] = [];
      let token: string | undefined;
      while (token !== "" && found.length < limit) {
        const size = Math.min(limit - found.length, LARGEST_PAGE);
        const page: RunPage = await api.get("/runs", queryOf(query, size, token));
        found.push(...page.runs.map(summaryOf));
        token = page.next_page_token;
      }
      return found;
    },
    async find(runId) {
      return summaryOf(await api.get<RunSummaryJson>(`${runPath(runId)}/summary`));
    },
    size: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

/** What a fact names by its digest. */
function digestsIn({ kind, definition, schemas, schema }: StoredFact): string[] {
  if (kind === "schema_found") return [String(schema)];
  if (kind !== "run_started") return [];
  return [definition, ...Object.values(schemas ?? {})].map(String);
}

function queryOf(query: Omit<RunQuery, "after">, size: number, token: string | undefined) {
  const { status, workflow, since, until, text } = query;
  return {
    status,
    workflow,
    text,
    since: timeOf(since),
    until: timeOf(until),
    page_size: size,
    page_token: token,
  };
}

function timeOf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

function summaryOf(run: RunSummaryJson): RunSummary {
  const { sleeps, sleeps_until: until, finished_at: end } = run;
  return {
    runId: run.run_id,
    workflow: run.workflow,
    version: run.version,
    correlationId: run.correlation_id,
    status: run.status,
    startedAt: Date.parse(run.started_at),
    endedAt: end === null ? null : Date.parse(end),
    sleepsUntil: !sleeps ? undefined : until === null ? null : Date.parse(until),
    owned: run.owned,
  };
}
