/**
 * Of the rounds of a loop, which are shown, and what is said of the others.
 *
 * @module
 */
import { recordOf, type RunState, type StepRecord } from "../machines/records.ts";
import type { Step } from "../workflow/model.ts";
import { formatTime } from "./text.ts";
import type { Detail } from "./tree_row.ts";

/** So many rounds are shown that are under way or wait for an operator… */
const MOST_ACTIVE = 6;
/** …and so many that have failed. */
const MOST_FAILED = 4;

/** The rounds of one loop in which something is going on. */
interface Lively {
  readonly parked: Set<number>;
  readonly active: Set<number>;
  readonly failed: Set<number>;
}

interface Found {
  readonly seq: number;
  readonly loops: ReadonlyMap<string, Lively>;
}

/** What one look at all records found, until the next fact. */
const found = new WeakMap<RunState, Found>();

const QUIET: Lively = { parked: new Set(), active: new Set(), failed: new Set() };

/** Which rounds of a loop are shown, and what is said of the rest: empty where there is none to speak of. */
export function roundsShown(
  state: RunState,
  path: string,
  record: StepRecord,
): { readonly shown: readonly number[]; readonly more: string } {
  const { parked, active, failed } = livelyRounds(state).get(path) ?? QUIET;
  const busy = [...parked, ...[...active].filter((round) => !parked.has(round))];
  const broken = [...failed].filter((round) => !parked.has(round) && !active.has(round));
  const shown = [...busy.slice(0, MOST_ACTIVE), ...broken.slice(0, MOST_FAILED)];
  const left = [
    [busy.length - MOST_ACTIVE, "under way"],
    [broken.length - MOST_FAILED, "failed"],
  ] as const;
  const rest = left.filter(([number]) => number > 0)
    .map(([number, what]) => `${numeral(number)} more ${what}`);
  const done = record.rounds.begun - busy.length - broken.length;
  if (done > 0 && shown.length > 0) rest.push(`${numeral(done)} done`);
  return { shown: shown.sort((a, b) => a - b), more: rest.join(", ") };
}

/** How far a loop is. */
export function loopDetail(
  step: Extract<Step, { kind: "foreach" | "repeat" }>,
  record: StepRecord,
  state: RunState,
  now: number,
): Detail[] {
  const { begun, open } = record.rounds;
  const failed = livelyRounds(state).get(record.path)?.failed.size ?? 0;
  const failures: Detail[] = failed === 0
    ? []
    : [{ tone: "bad", text: `${numeral(failed)} failed` }];
  if (step.kind === "repeat") {
    const most = step.maxRounds === null ? "" : ` of at most ${numeral(step.maxRounds)}`;
    const next = pauseOf(step.every, record, state, now);
    return [{ tone: "faint", text: `round ${numeral(begun)}${most}` }, ...next, ...failures];
  }
  const total = Array.isArray(record.input) ? record.input.length : begun;
  if (total === 0) return [{ tone: "faint", text: "no items" }];
  const done = begun - open.size - failed;
  return [{ tone: "faint", text: `${numeral(done)} of ${numeral(total)}` }, ...failures];
}

/** Between two rounds. */
function pauseOf(every: number, record: StepRecord, state: RunState, now: number): Detail[] {
  const { begun, open } = record.rounds;
  if (record.status !== "running" || open.size > 0 || begun === 0) return [];
  const last = recordOf(state, `${record.path}[${begun - 1}]`, record.op)?.endedAt ?? null;
  if (last === null || last + every <= now) return [];
  return [{ tone: "warn", text: `again in ${formatTime(last + every - now)}` }];
}

/** `10,000`. */
export function numeral(number: number): string {
  return number.toLocaleString("en");
}

function livelyRounds(state: RunState): ReadonlyMap<string, Lively> {
  const known = found.get(state);
  if (known !== undefined && known.seq === state.seq) return known.loops;
  const loops = new Map<string, Lively>();
  for (const { path, status, attention, caught } of state.records.values()) {
    if (!path.includes("[")) continue;
    const kind = attention !== null
      ? "parked"
      : status === "running"
      ? "active"
      : status === "failed"
      ? "failed"
      : null;
    if (kind === null || (kind === "failed" && caught !== null)) continue;
    for (const match of path.matchAll(/\[(\d+)\]/g)) {
      // What failed inside a round, and was taken there, is no failure of the round.
      const isRound = match.index + match[0].length === path.length;
      if (kind === "failed" && !isRound) continue;
      add(loops, path.slice(0, match.index), kind, Number(match[1]));
    }
  }
  found.set(state, { seq: state.seq, loops });
  return loops;
}

function add(
  loops: Map<string, Lively>,
  loop: string,
  kind: keyof Lively,
  round: number,
): void {
  let lively = loops.get(loop);
  if (lively === undefined) {
    loops.set(loop, lively = { parked: new Set(), active: new Set(), failed: new Set() });
  }
  lively[kind].add(round);
}
