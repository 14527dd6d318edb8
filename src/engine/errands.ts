import { MaestroError } from "../errors.ts";
import type { Json } from "../workflow/json.ts";
import { type Command, notActive } from "./commands.ts";
import type { CommandAnswer, Journal, Posted } from "./doors.ts";
import { rootIdOf } from "./ids.ts";
import type { LiveRun } from "./live_run.ts";
import type { Roster } from "./roster.ts";

/** How often it is looked whether another process has answered, in milliseconds. */
const LOOK_EVERY = 50;

/** For how long an answer is waited for before it is asked again who has the run, in milliseconds. */
const PATIENCE = 1_000;

/** Why a command is left: to whoever takes the run over, or until the store can be written again. */
const LEFT: ReadonlySet<string> = new Set(["ENGINE_CLOSED", "CLAIM_LOST", "STORE_FAILED"]);

/** Brings what is wanted of a run to the process that has it, and does what others want. */
export class Errands {
  readonly #journal: Journal;
  readonly #roster: Roster;
  readonly #stop: () => void;

  constructor(journal: Journal, roster: Roster) {
    this.#journal = journal;
    this.#roster = roster;
    this.#stop = journal.listen((posted) => this.#perform(posted));
  }

  /**
   * Does what is wanted of a run, wherever it is.
   *
   * @returns the root run, where it is here now; else `null`
   */
  async command(runId: string, command: Command): Promise<LiveRun | null> {
    let number: number | null = null;
    for (;;) {
      this.#roster.checkOpen();
      const { status, endedAt } = await this.#journal.find(runId);
      if (endedAt !== null) throw notActive(runId, status);
      const live = await this.#takeUp(runId);
      if (live !== null && number === null) {
        await this.#roster.act(runId, command);
        return live;
      }
      number ??= await this.#journal.post(runId, command as unknown as Json);
      const answer = await this.#answerTo(number);
      if (answer === undefined) continue; // whoever has the run may have died
      if (answer !== "done") throw new MaestroError(answer.code, answer.message);
      return live;
    }
  }

  /** Hears no more of what others want. */
  close(): void {
    this.#stop();
  }

  /** The run at the root, here; `null`: a live process has it. */
  async #takeUp(runId: string): Promise<LiveRun | null> {
    try {
      return await this.#roster.takeUp(rootIdOf(runId));
    } catch (thrown) {
      if (MaestroError.from(thrown).code !== "RUN_OWNED") throw thrown;
      return null;
    }
  }

  async #answerTo(number: number): Promise<CommandAnswer | undefined> {
    for (let waited = 0; waited < PATIENCE; waited += LOOK_EVERY) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      const answer = await this.#journal.answerTo(number);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** Does what another process has asked for. @throws what it can't answer with: it is told again */
  async #perform({ number, runId, command }: Posted): Promise<void> {
    await this.#journal.answer(number, await this.#outcomeOf(runId, command as unknown as Command));
  }

  async #outcomeOf(runId: string, command: Command): Promise<CommandAnswer> {
    try {
      await this.#roster.takeUp(rootIdOf(runId));
      await this.#roster.act(runId, command);
      return "done";
    } catch (thrown) {
      const { code, message } = MaestroError.from(thrown);
      if (LEFT.has(code)) throw thrown;
      return { code, message };
    }
  }
}
