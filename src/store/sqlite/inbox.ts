import type { CommandAnswer, Posted } from "../../engine/doors.ts";
import type { Json } from "../../workflow/json.ts";
import type { ReadStatements, WriteStatements } from "./statements.ts";

/** How often it is looked whether another process has posted something, in milliseconds. */
const LOOK_EVERY = 100;

/** How long an answer waits for whoever has asked, in milliseconds. */
const FORGOTTEN_AFTER = 3_600_000;

type Hear = (posted: Posted) => Promise<void>;

/** What other processes want of the runs that this one has, and what became of what this one wants. */
export class Inbox {
  readonly #write: WriteStatements;
  readonly #read: ReadStatements;
  readonly #owner: () => number | null;
  readonly #listeners = new Set<Hear>();
  /** Commands that were told and are not answered yet. */
  readonly #told = new Set<number>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The state of the store when it was last looked at. */
  #seen: number | null = null;

  /**
   * What it writes is written in the transaction of the moment.
   *
   * @param owner this process's number among the owners
   */
  constructor(write: WriteStatements, read: ReadStatements, owner: () => number | null) {
    this.#write = write;
    this.#read = read;
    this.#owner = owner;
  }

  /** Puts a command into a run's inbox. @returns its number */
  post(run: number, command: Json): number {
    const text = JSON.stringify(command);
    return (this.#write.insertCommand.get(run, text, Date.now()) as { no: number }).no;
  }

  answer(number: number, answer: CommandAnswer): void {
    this.#write.answerCommand.run(JSON.stringify(answer), number);
    this.#told.delete(number);
  }

  /** What became of a command; `undefined`: nothing yet. */
  answerTo(number: number): CommandAnswer | undefined {
    const row = this.#read.answer.get(number) as { answer: string | null } | undefined;
    return row === undefined || row.answer === null ? undefined : JSON.parse(row.answer);
  }

  drop(number: number): void {
    this.#write.dropCommand.run(number);
  }

  /** Throws away what nobody will fetch or do. */
  tidy(): void {
    this.#write.dropOldCommands.run(Date.now() - FORGOTTEN_AFTER);
  }

  /** Tells of each command for a run of this process; of one that could not be seen to, again. */
  listen(hear: Hear): () => void {
    this.#listeners.add(hear);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
      Deno.unrefTimer(this.#timer as unknown as number);
    }
    this.lookSoon();
    return () => {
      this.#listeners.delete(hear);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** What was posted before a run was claimed has changed nothing since. */
  lookSoon(): void {
    this.#seen = null;
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const owner = this.#owner();
    if (owner === null) return;
    for (const { no: number, id: runId, command } of this.#news(owner)) {
      if (this.#told.has(number)) continue;
      this.#told.add(number);
      const posted = { number, runId, command: readCommand(command) };
      for (const hear of this.#listeners) {
        hear(posted).catch(() => { // it is told again
          this.#told.delete(number);
          this.lookSoon();
        });
      }
    }
  }

  #news(owner: number): readonly { no: number; id: string; command: string }[] {
    try {
      const { data_version: version } = this.#write.version.get() as { data_version: number };
      if (version === this.#seen) return [];
      const rows = this.#read.openCommands.all(owner);
      this.#seen = version;
      return rows as { no: number; id: string; command: string }[];
    } catch {
      return []; // a store that can't be read shows where facts are written
    }
  }
}

/** A command that is damaged is still one that waits for an answer: it asks for nothing that anybody knows. */
function readCommand(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
