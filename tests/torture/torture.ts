/**
 * Kills processes that run sagas, until so many are dead, and audits what each has left behind.
 *
 * @module
 */
import { loadWorkflow, sqliteJournal, type StoredFact } from "../../mod.ts";
import { fromFileUrl } from "../support/paths.ts";
import { xorshift } from "../support/random.ts";
import { tempFiles } from "../support/temp_files.ts";
import { audit } from "./audit.ts";
import { type Bank, openBank } from "./bank.ts";
import type { Noted } from "./deadly_journal.ts";
import type { Death, Evidence, Facts, Life } from "./evidence.ts";
import { CANCELLED, type End, type LifePlan, type Plan, plansOf } from "./plans.ts";
import { runMaestro, runVictim } from "./processes.ts";
import { orderOf, type StoryName, storyOf } from "./stories.ts";
import type { Errand, Order } from "./victim.ts";

const SAGA = fromFileUrl(new URL("saga.yaml", import.meta.url));

/** The most problems of one store that are told: one often has many others in tow. */
const MOST = 10;

/** How much, and how. */
export interface TortureOptions {
  /** Processes to kill, at least. */
  readonly kills: number;
  /** The same plans for the same seed; what the machine is at when a kill strikes is its own affair. */
  readonly seed: number;
  /** Stores, each with a bank and a process, at the same time. @default 2 */
  readonly atOnce?: number;
  /** Hears of each store that has come to its end. */
  readonly onStore?: (name: string, tally: Tally) => void;
}

/** What came of it. */
export interface Tally {
  /** Processes killed from outside, and those that died in a write, by moment. */
  readonly kills: Record<Death, number>;
  runs: number;
  /** What arrived at the banks. */
  calls: number;
  /** How many runs ended, by status. */
  readonly ends: Record<string, number>;
  /** All that is wrong, each with the plan of its store. */
  readonly problems: string[];
}

/** How many processes were killed. */
export function killsOf({ kills }: Tally): number {
  return Object.values(kills).reduce((sum, many) => sum + many, 0);
}

/** A tally on one line. */
export function summaryOf(tally: Tally): string {
  const { kills, runs, calls, ends, problems } = tally;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, many]) => `${many} ${name}`).join(", ");
  return `${killsOf(tally)} kills (${list(kills)} a write), ${runs} runs (${list(ends)}), ` +
    `${calls} calls, ${problems.length} problems`;
}

/** Kills processes until so many are dead. */
export async function torture(options: TortureOptions): Promise<Tally> {
  const { kills, seed, atOnce = 2, onStore = () => {} } = options;
  const tally: Tally = {
    kills: { outside: 0, before: 0, within: 0, after: 0 },
    runs: 0,
    calls: 0,
    ends: {},
    problems: [],
  };
  const plans = plansOf(seed);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (killsOf(tally) < kills) {
      const { value: plan } = plans.next();
      try {
        await judge(plan.name, await carryOut(plan), tally);
      } catch (thrown) {
        tally.problems.push(`${plan.name}: ${thrown}`);
      }
      onStore(plan.name, tally);
    }
  }));
  return tally;
}

async function judge(name: string, evidence: Evidence, tally: Tally): Promise<void> {
  const { lives, remains } = evidence;
  for (const { death } of lives) if (death !== null) tally.kills[death]++;
  tally.runs += remains.stories.size;
  tally.calls += remains.arrivals.length;
  for (const id of remains.stories.keys()) {
    const status = String(remains.facts.get(id)?.at(-1)?.["status"]);
    tally.ends[status] = (tally.ends[status] ?? 0) + 1;
  }
  const problems = audit(evidence);
  if (problems.length === 0) return;
  const file = await Deno.makeTempFile({ prefix: "torture-", suffix: ".json" });
  await Deno.writeTextFile(file, textOf(evidence));
  tally.problems.push(...[...problems.slice(0, MOST), file].map((line) => `${name}: ${line}`));
}

/** Evidence for people; where the facts stood between two lives can be told from their times. */
function textOf({ lives, remains }: Evidence): string {
  const brief = lives.map(({ number, death, noted, told }) => ({ number, death, noted, told }));
  const plain = (_: string, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value) : value;
  return JSON.stringify({ lives: brief, remains }, plain, 1);
}

/** Carries a plan out, on a store and with a bank of its own. */
export async function carryOut(plan: Plan): Promise<Evidence> {
  const stories = new Map<string, StoryName>();
  await using files = await tempFiles({
    "workflow.json": JSON.stringify(await loadWorkflow(SAGA)),
  });
  await using bank = await openBank({
    random: xorshift(plan.seed),
    troublesOf: (order) => storyOf(stories.get(order) ?? "completes").troubles ?? {},
  });
  return await new Store({ plan, bank, stories, directory: files.directory }).liveOn();
}

interface StoreParts {
  readonly plan: Plan;
  readonly bank: Bank;
  /** By run. */
  readonly stories: Map<string, StoryName>;
  readonly directory: string;
}

/** A store, from its first process to its last. */
class Store {
  readonly #parts: StoreParts;
  readonly #lives: Life[] = [];
  #facts: Facts = new Map();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async liveOn(): Promise<Evidence> {
    const { plan, stories, bank } = this.#parts;
    for (let peaceful = 0; peaceful === 0 || this.#open.length > 0;) {
      const number = this.#lives.length + 1;
      const next = plan.next(number, this.#lives.at(-1)?.death != null);
      if (next === null && peaceful++ > stories.size) break; // something does not come to its end
      this.#lives.push(await this.#live(number, next ?? { begin: [], end: { kind: "peace" } }));
    }
    const { arrivals, effects } = bank;
    const facts = await this.#read([...stories.keys()]);
    return { lives: this.#lives, remains: { stories, facts, arrivals, effects } };
  }

  async #live(number: number, { begin, end, cancels = false }: LifePlan): Promise<Life> {
    const { plan, bank, stories } = this.#parts;
    for (const story of begin) stories.set(`run-${stories.size + 1}`, story);
    const open = this.#open;
    const errand = this.#errand(number, open, end);
    const arrived = bank.arrivals.length;
    using killer = killerOf(end, (calls, kill) => bank.whenArrived(arrived + calls, kill));
    const doomed = { life: number, signal: killer.signal };
    const { killed, stdout } = plan.program === "maestro"
      ? await runMaestro(this.#command(errand.orders, cancels), doomed)
      : await runVictim(errand, doomed);
    await bank.idle();

    const before = this.#facts;
    this.#facts = new Map([...before, ...await this.#read(open)]);
    return {
      number,
      death: !killed ? null : end.kind === "write" ? end.fall.moment : "outside",
      before,
      after: this.#facts,
      noted: await notesOf(errand.notes),
      arrivals: bank.arrivals.slice(arrived),
      told: killed ? new Map() : toldBy(stdout),
    };
  }

  /** The runs that have not ended, or not even begun. */
  get #open(): readonly string[] {
    const ids = [...this.#parts.stories.keys()];
    return ids.filter((id) => this.#facts.get(id)?.at(-1)?.kind !== "run_ended");
  }

  #errand(life: number, open: readonly string[], end: End): Errand {
    const { directory, bank, stories, plan } = this.#parts;
    const last = open.at(-1) ?? null;
    return {
      store: `${directory}/store.db`,
      notes: `${directory}/notes-${life}`,
      workflow: `${directory}/workflow.json`,
      endpoints: { bank: bank.endpoint },
      orders: open.map((id) => orderOf(stories.get(id) ?? "completes", id)),
      atOnce: open.length,
      fall: end.kind === "write" ? { ...end.fall, run: end.of === "last" ? last : null } : null,
      lies: end.kind !== "peace" && (plan.lies ?? false),
    };
  }

  /** `runs cancel`, where there is something to cancel; `run`, where something has not begun; else `runs resume`. */
  #command(open: readonly Order[], cancels: boolean): readonly string[] {
    const { directory, bank, stories } = this.#parts;
    const store = ["--store", `sqlite:${directory}/store.db`, "--output", "json"];
    const hasBegun = ({ id }: Order) => (this.#facts.get(id)?.length ?? 0) > 0;
    const cancelled = open.find((order) => stories.get(order.id) === CANCELLED && hasBegun(order));
    if (cancels && cancelled !== undefined) return ["runs", "cancel", cancelled.id, ...store];
    const next = open.find((order) => !hasBegun(order));
    if (next === undefined) return ["runs", "resume", ...store];
    const { id, input, timeout } = next;
    const limit = timeout === undefined ? [] : ["--timeout", `${timeout}ms`];
    const what = ["--run-id", id, "--input", JSON.stringify(input), ...limit];
    return ["run", SAGA, ...what, "--endpoint", `bank=${bank.endpoint}`, ...store];
  }

  /** The facts of a copy: the next process is to find the store as the last one left it. */
  async #read(ids: readonly string[]): Promise<Facts> {
    const { directory } = this.#parts;
    const copy = await Deno.makeTempDir({ dir: directory });
    for (const name of ["store.db", "store.db-wal"]) {
      await Deno.copyFile(`${directory}/${name}`, `${copy}/${name}`).catch(() => {}); // not there yet
    }
    const facts = new Map<string, readonly StoredFact[]>();
    const journal = sqliteJournal(`${copy}/store.db`);
    try {
      for (const id of ids.flatMap((id) => [id, `${id}/invoice`])) {
        facts.set(id, await Array.fromAsync(journal.read(id)).catch(() => [])); // not begun yet
      }
    } finally {
      await journal.close();
      await Deno.remove(copy, { recursive: true });
    }
    return facts;
  }
}

/** Tells when a process is to be killed from outside. */
function killerOf(end: End, whenArrived: (calls: number, callback: () => void) => void) {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  if (end.kind === "outside") {
    const kill = () => {
      if (!isOver) timer = setTimeout(() => controller.abort(), end.after);
    };
    if (end.calls === 0) kill();
    else whenArrived(end.calls, kill);
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

async function notesOf(file: string): Promise<Noted[]> {
  const text = await Deno.readTextFile(file).catch(() => ""); // the process died before the first
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** How runs have ended, by what a process said: the victim line by line, `maestro` in one object. */
function toldBy(stdout: string): Map<string, string> {
  if (!stdout.startsWith("{")) {
    return new Map(
      stdout.matchAll(/^(run-\d+) (\w+)$/gm).map(([, id = "", end = ""]) => [id, end]),
    );
  }
  type Told = { readonly run_id: string; readonly status: string };
  const told: Partial<Told> & { readonly runs?: readonly Told[] } = JSON.parse(stdout);
  const { runs = [], run_id = "", status = "" } = told; // neither, where it was refused
  const all = run_id === "" ? runs : [{ run_id, status }];
  return new Map(all.map(({ run_id, status }) => [run_id, status]));
}
