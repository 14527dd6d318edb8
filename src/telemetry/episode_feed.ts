import type { HearAll } from "../engine/engine_options.ts";
import type { Fact } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import { type Episode, RunEpisodes } from "./episodes.ts";

/** How many runs under way are remembered; what happens in one that was forgotten is read up in the journal. */
const REMEMBERED = 10_000;

/** A run under way, as whoever hears of its episodes sees it. */
export interface FollowedRun {
  readonly runId: string;
  readonly workflow: Workflow;
  /** The trace context that it was started with. */
  readonly traceparent: string | null;
}

/** Hears of what has ended. `again`: it may have been told before, by a process that was killed since. */
export type HearEpisode = (run: FollowedRun, episode: Episode, again: boolean) => void;

/** What a feed is made with. */
export interface EpisodeFeedOptions {
  /** Reads a run's facts so far. */
  readonly facts: (runId: string) => AsyncIterable<Fact>;
  readonly hear: HearEpisode;
  /** How long what a process has heard may stay with it, in milliseconds: what is younger when it is killed is lost with it. */
  readonly retention: number;
  /** @default 10,000 */
  readonly remember?: number;
}

/**
 * The episodes of all runs, for `EngineOptions.onHappening`. A run that began before this process, or
 * slept for long, is read up first, so that what ends now has its beginning.
 */
export class EpisodeFeed {
  readonly #options: EpisodeFeedOptions;
  readonly #remember: number;
  /** Those heard of longest ago come first. */
  readonly #runs = new Map<string, Followed>();
  readonly #reading = new Set<Promise<void>>();

  constructor(options: EpisodeFeedOptions) {
    this.#options = options;
    this.#remember = options.remember ?? REMEMBERED;
  }

  /** Hears what happens in any run. */
  readonly onHappening: HearAll = (runId, workflow, event, origin) => {
    if (!("seq" in event)) return;
    let run = this.#runs.get(runId);
    // What lies between was told by another process.
    if (run === undefined || run.last + 1 !== event.seq) {
      run = this.#follow({ runId, workflow, traceparent: origin.traceparent }, event);
    } else this.#runs.delete(runId); // and comes last
    this.#runs.set(runId, run);
    run.last = event.seq;
    if (run.waiting === null) this.#tell(run, event);
    else run.waiting.push(event);
    if (event.kind === "run_ended") this.#runs.delete(runId);
    else if (this.#runs.size > this.#remember) this.#forgetOldest();
  };

  /** Resolves once everything heard so far has been told. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading);
  }

  #follow(of: FollowedRun, event: Fact): Followed {
    const run = new Followed(of);
    if (event.seq > 1) {
      const reading = this.#readUp(run, event.seq).finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    }
    return run;
  }

  async #readUp(run: Followed, before: number): Promise<void> {
    const waiting: Fact[] = [];
    run.waiting = waiting;
    const past: Episode[] = [];
    let last = 0;
    try {
      for await (const fact of this.#options.facts(run.of.runId)) {
        if (fact.seq >= before) break;
        last = fact.at;
        past.push(...run.episodes.hear(fact));
      }
    } catch { /* the store can't be read now: what ends has no beginning */ }
    const { hear, retention } = this.#options;
    for (const episode of past) {
      if (episode.to >= last - retention) hear(run.of, episode, true);
    }
    run.waiting = null;
    for (const fact of waiting) this.#tell(run, fact);
  }

  #tell(run: Followed, fact: Fact): void {
    for (const episode of run.episodes.hear(fact)) {
      this.#options.hear(run.of, episode, false);
    }
  }

  #forgetOldest(): void {
    for (const [runId, { waiting }] of this.#runs) {
      if (waiting !== null) continue;
      this.#runs.delete(runId);
      return;
    }
  }
}

/** What is remembered of a run under way. */
class Followed {
  /** The number of the last fact that came. */
  last = 0;
  /** What came while the run was read up; `null`: nothing has to wait. */
  waiting: Fact[] | null = null;
  readonly episodes: RunEpisodes;

  constructor(readonly of: FollowedRun) {
    this.episodes = new RunEpisodes(of.runId);
  }
}
