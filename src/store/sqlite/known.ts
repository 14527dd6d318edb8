import type { GroupCommit } from "./group_commit.ts";
import type { WriteStatements } from "./statements.ts";

/**
 * What is known of the tables without asking again: the tokens of runs, and which texts are there. It
 * holds as long as no other process has written, and nothing was taken back.
 */
export class Known {
  readonly #write: WriteStatements;
  readonly #commit: Pick<GroupCommit, "number" | "failures">;
  readonly #tokens = new Map<number, number>();
  readonly #texts = new Set<string>();
  #at = "";
  #transaction = 0;

  constructor(write: WriteStatements, commit: Pick<GroupCommit, "number" | "failures">) {
    this.#write = write;
    this.#commit = commit;
  }

  /** The token of a run's newest claim; `undefined`: there is no such run. */
  tokenOf(run: number): number | undefined {
    this.#forgetStale();
    let token = this.#tokens.get(run);
    if (token === undefined) {
      const row = this.#write.tokenOf.get(run) as { token: number } | undefined;
      if (row !== undefined) this.#tokens.set(run, token = row.token);
    }
    return token;
  }

  /** A run was made. */
  setToken(run: number, token: number): void {
    this.#forgetStale();
    this.#tokens.set(run, token);
  }

  /** Has a text in the store. */
  keep(digest: string, text: string): void {
    this.#forgetStale();
    if (this.#texts.has(digest)) return;
    this.#texts.add(digest);
    const { hasText, insertText } = this.#write;
    if (hasText.get(digest) === undefined) insertText.run(digest, text);
  }

  /** A run has ended: its token is not asked for again. */
  forgetRun(run: number): void {
    this.#tokens.delete(run);
  }

  /** Runs were claimed. */
  forgetRuns(): void {
    this.#tokens.clear();
  }

  /** Texts were dropped. */
  forgetTexts(): void {
    this.#texts.clear();
  }

  #forgetStale(): void {
    const { number, failures } = this.#commit;
    if (number === this.#transaction) return;
    this.#transaction = number;
    const { data_version: version } = this.#write.version.get() as { data_version: number };
    const at = `${version} ${failures}`;
    if (at === this.#at) return;
    this.#at = at;
    this.#tokens.clear();
    this.#texts.clear();
  }
}
