import { MaestroError } from "../errors.ts";
import type { ChildHandle, ChildRun } from "../machines/board.ts";
import { failureOf } from "../machines/failure.ts";
import type { RunState } from "../machines/fold.ts";
import type { ChildTold } from "../machines/told.ts";
import type { AttentionReport, RunReport } from "./report.ts";

/** A child run under way, as its parent's knows it. */
export interface ChildLife {
  /** Where it stands, once that it has ended is durable; else `null`. */
  readonly ended: RunState | null;
  /** It waits for an operator, and nothing else of it goes on. */
  readonly rests: boolean;
  /** The pivot that it has passed. */
  readonly pivot: string | null;
  report(): RunReport;
  follow(listener: (event: { readonly kind: string }) => void): () => void;
  cancel(by: string): void;
}

/** How an engine makes the runs of children. */
export interface ChildStarter<L extends ChildLife = ChildLife> {
  /** Starts a child run, or takes it up where it stands; one that has ended is given as it ended. */
  start(id: string, child: ChildRun): Promise<L>;
  /** Takes up a child run that has completed, to roll it back. */
  rollBack(id: string): Promise<L>;
}

/** The child runs of one run, by the paths of their steps. */
export class Children<L extends ChildLife> {
  readonly #runId: string;
  readonly #starter: ChildStarter<L>;
  readonly #changed: () => void;
  readonly #live = new Map<string, L>();

  /** @param changed is called whenever one of them is parked, goes on, or ends */
  constructor(runId: string, starter: ChildStarter<L>, changed: () => void) {
    this.#runId = runId;
    this.#starter = starter;
    this.#changed = changed;
  }

  /** How many are under way. */
  get size(): number {
    return this.#live.size;
  }

  /** Starts one, or takes it up again. */
  begin(child: ChildRun, told: (event: ChildTold) => void): ChildHandle {
    const revision = child.revision === 0 ? "" : `#${child.revision + 1}`;
    const id = `${this.#idOf(child.path)}${revision}`;
    let live: L | null = null;
    let cancelled = false;
    let left = false;
    this.#starter.start(id, child).then((started) => {
      live = started;
      if (left) return;
      this.#follow(child.path, started, told);
      if (cancelled) started.cancel("its parent run");
    }, (thrown) => !left && told(notStarted(child.path, thrown)));
    return {
      cancel: () => {
        cancelled = true;
        live?.cancel("its parent run");
      },
      leave: () => {
        left = true;
        this.#live.delete(child.path);
      },
    };
  }

  /** Rolls back one that has completed. */
  undo(path: string, revision: number, told: (event: ChildTold) => void): () => void {
    let left = false;
    const id = revision === 0 ? this.#idOf(path) : `${this.#idOf(path)}#${revision + 1}`;
    this.#starter.rollBack(id).then(
      (started) => left || this.#follow(path, started, told),
      (thrown) => left || told(notStarted(path, thrown)),
    );
    return () => {
      left = true;
      this.#live.delete(path);
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

  #idOf(path: string): string {
    return `${this.#runId}/${path}`;
  }

  #follow(path: string, live: L, told: (event: ChildTold) => void): void {
    this.#live.set(path, live);
    const state = live.ended;
    if (state !== null) return this.#tell(path, state, told);
    const stop = live.follow((event) => {
      if (event.kind === "run_ended") {
        stop();
        const ended = live.ended;
        if (ended !== null) this.#tell(path, ended, told);
      } else if (event.kind.startsWith("attention_")) this.#changed();
    });
    if (live.rests) this.#changed();
  }

  #tell(path: string, { end, pivot }: RunState, told: (event: ChildTold) => void): void {
    this.#live.delete(path);
    if (end === null) return;
    const { status, output, failure } = end;
    told({ type: "child_told", status, output, failure, pivot: pivot !== null });
  }
}

const NONE: readonly AttentionReport[] = [];

/** A child that can't be started did nothing. */
function notStarted(path: string, thrown: unknown): ChildTold {
  const { code, message } = MaestroError.from(thrown);
  const failure = failureOf({ code, message }, { path, attempts: 0, outcome: "not_sent" });
  return { type: "child_told", status: "failed", output: undefined, failure, pivot: false };
}
