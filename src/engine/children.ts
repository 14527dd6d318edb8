import { MaestroError } from "../errors.ts";
import type { ChildHandle, ChildRun } from "../machines/board.ts";
import { failureOf } from "../machines/failure.ts";
import type { RunState } from "../machines/records.ts";
import type { ChildPivoted, ChildTold } from "../machines/told.ts";
import type { AttentionReport, RunReport } from "./report.ts";

/** A child run under way, as its parent's knows it. */
export interface ChildLife {
  /** Where it stands, once that it has ended is durable; else `null`. */
  readonly ended: RunState | null;
  /** Something of it waits for an operator. */
  readonly parked: boolean;
  /** It waits for an operator, and nothing else of it goes on. */
  readonly rests: boolean;
  /** The pivot that it has passed, or that is under way: it is not to be stopped. */
  readonly pivot: string | null;
  /** A pivot is behind it for good. */
  readonly hasPivoted: boolean;
  report(): RunReport;
  /** Tells what its parent has to know; the returned function ends that. */
  watch(watcher: ChildWatcher): () => void;
  cancel(by: string): void;
}

/** Who has to know how a child run stands. */
export interface ChildWatcher {
  /** It is parked, goes on, has passed a pivot, or has ended. */
  changed(): void;
  /** It was stopped where it stands: nobody will hear of its end here. */
  stopped(error: MaestroError): void;
}

/** How an engine makes the runs of children. */
export interface ChildStarter<L extends ChildLife = ChildLife> {
  /** Starts a child run, or takes it up where it stands; one that has ended is given as it ended. */
  start(id: string, child: ChildRun): Promise<L>;
  /** Takes up a child run that has completed, to roll it back. */
  rollBack(id: string): Promise<L>;
}

/** The id of the child run of a step; each time an operator has it tried again it is another run. */
export function childId(runId: string, path: string, revision: number): string {
  return `${runId}/${path}${revision === 0 ? "" : `#${revision + 1}`}`;
}

/** The child runs of one run, by the paths of their steps. */
export class Children<L extends ChildLife> {
  readonly #runId: string;
  readonly #starter: ChildStarter<L>;
  readonly #parent: ChildWatcher;
  readonly #whenDurable: (callback: () => void) => void;
  readonly #live = new Map<string, L>();

  /**
   * @param parent hears whenever something changes in one of them, or that it can't be followed
   * @param whenDurable calls back once what the parent has recorded so far is durable: nothing of a
   * child happens before its parent has it on record
   */
  constructor(
    runId: string,
    starter: ChildStarter<L>,
    parent: ChildWatcher,
    whenDurable: (callback: () => void) => void,
  ) {
    this.#runId = runId;
    this.#starter = starter;
    this.#parent = parent;
    this.#whenDurable = whenDurable;
  }

  /** How many are under way. */
  get size(): number {
    return this.#live.size;
  }

  /** Starts one, or takes it up again. */
  begin(child: ChildRun, told: (event: ChildTold | ChildPivoted) => void): ChildHandle {
    const id = childId(this.#runId, child.path, child.revision);
    let live: L | null = null;
    let cancelled = false;
    let leave: (() => void) | null = null;
    let left = false;
    const follow = (started: L) => {
      if (left) return;
      live = started;
      leave = this.#follow(child.path, started, told);
      if (cancelled) cancel(started);
    };
    const fail = (thrown: unknown) => {
      if (!left) this.#fail(child.path, MaestroError.from(thrown, "STORE_FAILED"), told);
    };
    this.#whenDurable(() => left || this.#starter.start(id, child).then(follow, fail));
    return {
      cancel: () => {
        cancelled = true;
        if (live !== null) cancel(live);
      },
      leave: () => {
        left = true;
        leave?.();
      },
    };
  }

  /** Rolls back one that has completed. */
  undo(
    path: string,
    revision: number,
    told: (event: ChildTold | ChildPivoted) => void,
  ): () => void {
    let leave: (() => void) | null = null;
    let left = false;
    const id = childId(this.#runId, path, revision);
    const follow = (started: L) => {
      if (!left) leave = this.#follow(path, started, told);
    };
    const fail = (thrown: unknown) => {
      if (!left) this.#parent.stopped(MaestroError.from(thrown, "STORE_FAILED"));
    };
    this.#whenDurable(() => left || this.#starter.rollBack(id).then(follow, fail));
    return () => {
      left = true;
      leave?.();
    };
  }

  /** What waits for an operator in them, by paths that begin with their steps'. */
  attention(): readonly AttentionReport[] {
    if (this.#live.size === 0) return NONE;
    return [...this.#live].flatMap(([path, live]) =>
      live.report().attention.map((one) => ({ ...one, step: `${path}/${one.step}` }))
    );
  }

  /** The child run in which a path lies, with the rest of the path. */
  find(path: string): { readonly live: L; readonly rest: string } | null {
    for (const [own, live] of this.#live) {
      if (path.startsWith(`${own}/`)) return { live, rest: path.slice(own.length + 1) };
    }
    return null;
  }

  /** Something of one of them waits for an operator. */
  get parked(): boolean {
    for (const live of this.#live.values()) if (live.parked) return true;
    return false;
  }

  /** The paths of their steps, with whether something in them waits for an operator. */
  *attentions(): Iterable<readonly [path: string, parked: boolean]> {
    for (const [path, live] of this.#live) yield [path, live.parked];
  }

  /** All that are under way are parked, or there are none. */
  get rest(): boolean {
    return [...this.#live.values()].every((live) => live.rests);
  }

  /** Whether the child run of a step is parked. */
  isParked(path: string): boolean {
    return this.#live.get(path)?.rests === true;
  }

  /** One of them has passed a pivot. */
  get passedPivot(): boolean {
    return [...this.#live.values()].some((live) => live.pivot !== null);
  }

  /** @returns ends that; the run stays where it stands */
  #follow(path: string, live: L, told: (event: ChildTold | ChildPivoted) => void): () => void {
    this.#live.set(path, live);
    let isTold = false;
    let unwatch = () => {};
    const leave = () => {
      unwatch();
      if (this.#live.get(path) === live) this.#live.delete(path);
    };
    const look = () => {
      const { ended } = live;
      if (ended !== null) {
        leave();
        const event = toldOf(ended);
        if (event !== null) told(event);
      } else if (live.hasPivoted && !isTold) {
        isTold = true;
        told({ type: "child_pivoted" });
      }
    };
    unwatch = live.watch({
      changed: () => {
        this.#parent.changed(); // it goes on before it ends: clocks that stood still do so no more
        look();
      },
      stopped: (error) => this.#parent.stopped(error),
    });
    this.#parent.changed(); // what it was like before a restart need not be so now
    look();
    return leave;
  }

  /** A child that can't be made fails its step; where it can't be kept, or is kept elsewhere, its parent stops. */
  #fail(path: string, error: MaestroError, told: (event: ChildTold) => void): void {
    if (!UNFIT.has(error.code)) return this.#parent.stopped(error);
    const failure = failureOf(error, { path, attempts: 0, outcome: "not_sent" });
    told({ type: "child_told", status: "failed", output: undefined, failure, pivot: false });
  }
}

const NONE: readonly AttentionReport[] = [];

/** Why a child did nothing, and will do nothing when it is asked again. */
const UNFIT: ReadonlySet<string> = new Set([
  "INPUT_INVALID",
  "WORKFLOW_INVALID",
  "EXPRESSION_ERROR",
  "USAGE",
]);

/** Past its pivot it only goes forward: its parent knows, and waits. */
function cancel(live: ChildLife): void {
  if (live.pivot === null) live.cancel("its parent run");
}

function toldOf({ end, pivot }: RunState): ChildTold | null {
  if (end === null) return null;
  const { status, output, failure } = end;
  return { type: "child_told", status, output, failure, pivot: pivot !== null };
}
