import { signal } from "@preact/signals";
import type { RunReport } from "../../../src/engine/report.ts";
import { getRun, runEventsPath } from "../api/api.ts";
import { ApiError } from "../api/api_error.ts";
import { follow } from "../api/stream.ts";
import { addEvent, emptyModel, type RunEvent, type RunModel } from "./run_model.ts";

/** How long events are gathered before the page draws them, in milliseconds. */
const GATHER = 60;

/** How often the report is asked for all the same: what a child run waits for is no event of its parent's. */
const POLL = 3_000;

/** After these the report says something else. */
const TELLING: ReadonlySet<string> = new Set([
  "run_started",
  "rollback_started",
  "attention_raised",
  "attention_resolved",
  "run_ended",
]);

/** One run as it goes on. */
export class LiveRun {
  /** Where it stands, as the server says; `null`: not heard yet. */
  readonly report = signal<RunReport | null>(null);
  readonly error = signal<ApiError | null>(null);
  /** What its events come to: another object whenever there is more. */
  readonly model = signal<RunModel>(emptyModel());
  readonly #model = emptyModel();
  readonly #runId: string;
  readonly #stop = new AbortController();
  readonly #leave: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #poll: ReturnType<typeof setInterval>;
  #stale = false;
  #asking = false;
  #again = false;

  constructor(runId: string) {
    this.#runId = runId;
    this.refresh();
    this.#leave = follow(runEventsPath(runId), {
      event: (data) => this.#hear(JSON.parse(data)),
      refused: (error) => this.error.value = error,
    });
    this.#poll = setInterval(() => {
      if (this.#model.endedAt === null && !document.hidden) this.refresh();
    }, POLL);
  }

  /** Asks how the run stands. */
  refresh(): void {
    if (this.#asking) this.#again = true;
    else this.#ask();
  }

  /** Stops following it. */
  close(): void {
    this.#stop.abort();
    this.#leave();
    clearInterval(this.#poll);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #hear(event: RunEvent): boolean {
    const ended = addEvent(this.#model, event);
    this.#stale ||= TELLING.has(event.kind);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.model.value = { ...this.#model };
      if (this.#stale) this.refresh();
      this.#stale = false;
    }, GATHER);
    return ended;
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      this.report.value = await getRun(this.#runId, this.#stop.signal);
      this.error.value = null;
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.error.value = ApiError.from(thrown);
    }
    this.#asking = false;
    if (!this.#again || this.#stop.signal.aborted) return;
    this.#again = false;
    setTimeout(() => this.refresh(), GATHER * 2);
  }
}
