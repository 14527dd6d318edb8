import type {
  Adopted,
  Claim,
  CommandAnswer,
  Journal,
  NewRun,
  Standing,
  StoredFact,
} from "../../engine/doors.ts";
import type { RunStatus } from "../../engine/report.ts";
import { isChildId, rootIdOf } from "../../engine/ids.ts";
import { MaestroError } from "../../errors.ts";
import { type Connections, openStore } from "./open.ts";
import { GroupCommit } from "./group_commit.ts";
import { Inbox } from "./inbox.ts";
import { Known } from "./known.ts";
import { Lease } from "./lease.ts";
import { findRun, listRuns } from "./list.ts";
import { patiently } from "./patiently.ts";
import { pruneRuns } from "./prune.ts";
import { type AdoptedRow, jsonOf, missing, type MomentRow, type RunRow, whole } from "./rows.ts";
import { readStatements, writeStatements } from "./statements.ts";
import { storeFailed } from "./faults.ts";
import { TIMING, type Timing } from "./timing.ts";

/** For how long a lock is waited for at the end, in milliseconds: the system tells that this process is gone. */
const LAST_PATIENCE = 100;

/** A claim, with the run's row, or what is to become that. */
interface RowClaim extends Claim {
  no: number;
  run?: NewRun | undefined;
}

/** How a journal in a SQLite file is opened. */
export interface SqliteJournalOptions {
  /** Where there is no file, none is made: that is an error. @default false */
  readonly mustExist?: boolean;
}

/**
 * A journal in a SQLite file, which survives the process and a power cut, and which several processes
 * of one machine may use at the same time. It is opened at once; file and folder are made where there
 * are none.
 *
 * @example
 * ```ts
 * import { openEngine, sqliteJournal } from "@maestro/maestro";
 *
 * const file = `${Deno.makeTempDirSync()}/runs.db`;
 * const engine = openEngine({ journal: sqliteJournal(file) });
 * const { runs, sleeping } = await engine.resumeAll(); // what was left open
 * console.log(runs.length, sleeping);
 * await engine.close();
 * ```
 *
 * @param path of the file, relative to the working directory, or absolute
 * @throws {MaestroError} `STORE_FAILED`
 */
export function sqliteJournal(path: string, options: SqliteJournalOptions = {}): Journal {
  return timedSqliteJournal(path, options, TIMING);
}

/** The same, for tests that can't wait as long as life does. */
export function timedSqliteJournal(
  path: string,
  { mustExist = false }: SqliteJournalOptions,
  timing: Timing,
): Journal {
  const connections = openStore(path, mustExist, timing.busyTimeout);
  // What stands beside the file must be the same for all processes, also for those that came by a link.
  return new SqliteJournal(Deno.realPathSync(path), connections, timing).door();
}

class SqliteJournal {
  readonly #path: string;
  readonly #connections: Connections;
  readonly #commit: GroupCommit;
  readonly #lease: Lease;
  readonly #write;
  readonly #read;
  readonly #inbox: Inbox;
  readonly #known: Known;
  readonly #timeout: number;
  /** The ids of runs that have no facts yet. */
  readonly #reserved = new Set<string>();
  #closed = false;

  constructor(path: string, connections: Connections, timing: Timing) {
    const { writer, reader } = connections;
    this.#path = path;
    this.#connections = connections;
    this.#timeout = timing.busyTimeout;
    this.#commit = new GroupCommit(path, writer, timing.busyTimeout);
    this.#lease = new Lease(path, writer, timing, (action) => this.#commit.write(action));
    this.#write = writeStatements(writer);
    this.#read = readStatements(reader);
    this.#known = new Known(this.#write, this.#commit);
    this.#inbox = new Inbox(this.#write, this.#read, () => this.#lease.no);
  }

  /** Its methods as functions of their own, so that others can be put in the place of some. */
  door(): Journal {
    return {
      create: (run, owner) => this.#create(run, owner),
      claim: (runId, owner) => this.#claim(runId, owner),
      adopt: (owner) => this.#adopt(owner),
      holds: () => this.#lease.holds,
      append: (claim, facts, standing) => this.#append(claim as RowClaim, facts, standing),
      read: (runId, after) => this.#facts(runId, after),
      keep: (claim, { digest, text }) =>
        this.#later(() => {
          const no = this.#fence(claim);
          this.#known.keep(digest, text);
          this.#write.addText.run(digest, no); // also one that other runs brought: they may be dropped
        }),
      kept: (digest) =>
        this.#look(() => {
          const row = this.#read.text.get(digest) as { text: string } | undefined;
          return row?.text;
        }),
      post: (runId, command) => this.#later(() => this.#inbox.post(this.#row(runId).no, command)),
      listen: (hear) => this.#inbox.listen(hear),
      answer: (number, answer) => this.#later(() => this.#inbox.answer(number, answer)),
      answerTo: (number) => this.#answerTo(number),
      list: (query) => this.#look((reader) => listRuns(reader, query, this.#isAlive)),
      find: (runId) => this.#look(() => findRun(this.#read.summary, runId, this.#isAlive)),
      counts: () =>
        this.#look(() => {
          const rows = this.#read.counts.all() as { status: RunStatus; runs: number }[];
          return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
        }),
      moments: (after, limit) =>
        this.#look(() => {
          const rows = this.#read.momentsAfter.all(after, limit) as unknown as MomentRow[];
          return rows.map(({ no, id, facts }) => ({
            number: no,
            runId: id,
            facts: jsonOf(facts) ?? [], // one damaged run must not silence all others
          }));
        }),
      newest: () => this.#look(() => (this.#read.newestMoment.get() as { no: number }).no),
      prune: (endedBefore, most) => this.#prune(endedBefore, most),
      size: () => this.#look(() => this.#size()),
      close: () => this.#close(),
    };
  }

  readonly #isAlive = (owner: number): boolean => this.#lease.isAlive(owner);

  async #append(
    claim: RowClaim,
    facts: readonly StoredFact[],
    standing?: Standing,
  ): Promise<void> {
    const [first] = facts;
    const text = JSON.stringify(facts); // what can't be said must not spoil the others' transaction
    try {
      await this.#commit.write(() => {
        if (first !== undefined) this.#place(claim, first.at);
        const no = this.#fence(claim);
        const { insertMoment, moveRun } = this.#write;
        if (first !== undefined) insertMoment.run(no, first.seq, text);
        if (standing === undefined) return;
        const { status, endedAt, sleepsUntil } = standing;
        const [isAsleep, until] = sleepsUntil === undefined ? [0, null] : [1, sleepsUntil];
        moveRun.run(status, whole(endedAt), isAsleep, whole(until), no);
        if (endedAt !== null) this.#known.forgetRun(no);
      });
    } catch (thrown) {
      this.#reserved.delete(claim.runId);
      throw thrown;
    }
  }

  /** Its row is made with its first facts: without any, a run has never begun. */
  async #create(run: NewRun, owner: string): Promise<Claim> {
    const { runId } = run;
    await this.#take(owner);
    return await this.#commit.enter(() => {
      this.#checkFree(runId);
      this.#reserved.add(runId);
      const claim: RowClaim = { runId, owner, token: 1, no: 0, run };
      return claim;
    });
  }

  #checkFree(runId: string): void {
    if (!this.#reserved.has(runId) && this.#write.runById.get(runId) === undefined) return;
    throw new MaestroError("RUN_EXISTS", `There is a run "${runId}" already`);
  }

  /** Makes the row of a run that has none yet. */
  #place(claim: RowClaim, startedAt: number): void {
    const { run, runId } = claim;
    if (run === undefined) return;
    this.#reserved.delete(runId);
    this.#checkFree(runId);
    for (const { digest, text } of run.texts) this.#known.keep(digest, text);
    const { no } = this.#write.insertRun.get(
      runId,
      this.#rootOf(runId),
      run.workflow,
      run.version,
      run.correlationId,
      whole(startedAt),
      this.#lease.no,
      JSON.stringify(run.texts.map(({ digest }) => digest).sort()),
    ) as { no: number };
    this.#known.setToken(no, claim.token);
    claim.no = no;
    claim.run = undefined;
  }

  /** The row of the root, which has to be ours: who has lost a run starts no child of it. */
  #rootOf(runId: string): number | null {
    if (!isChildId(runId)) return null;
    const root = this.#row(rootIdOf(runId));
    if (root.owner === this.#lease.no) return root.no;
    throw new MaestroError("CLAIM_LOST", `Another process has taken over run "${runId}"`);
  }

  async #claim(runId: string, owner: string): Promise<Claim> {
    const me = await this.#take(owner);
    return await this.#commit.write(() => {
      const row = this.#row(runId);
      // A child run is whose its root is.
      const { owner: holder } = isChildId(runId) ? this.#row(rootIdOf(runId)) : row;
      if (holder !== null && !this.#lease.isAlive(holder)) this.#lease.bury(holder);
      else if (holder !== null && holder !== me) {
        throw new MaestroError(
          "RUN_OWNED",
          `Another process that is alive goes on with run "${runId}"`,
        );
      }
      this.#write.takeRun.run(me, row.no);
      if (row.owner !== me) this.#write.takeChildren.run(me, row.no);
      this.#known.forgetRuns();
      this.#inbox.lookSoon();
      const claim: RowClaim = { runId, owner, token: row.token + 1, no: row.no };
      return claim;
    });
  }

  async *#adopt(owner: string): AsyncIterable<Adopted> {
    const me = await this.#take(owner);
    await this.#commit.write(() => {
      const owners = (this.#write.openOwners.all() as { owner: number | null }[])
        .flatMap((row) => row.owner ?? []);
      const dead = owners.filter((one) => !this.#lease.isAlive(one));
      this.#write.takeOpenRuns.run(me, JSON.stringify(dead));
      this.#write.takeTheirChildren.run(me);
      this.#known.forgetRuns();
      for (const one of dead) this.#lease.bury(one);
    });
    this.#inbox.lookSoon();
    for (let last = 0;;) {
      const rows = await this.#look(() =>
        this.#read.adopted.all(me, last) as unknown as AdoptedRow[]
      );
      for (const { no, id, token, status, asleep, sleeps_until } of rows) {
        const claim: RowClaim = { runId: id, owner, token, no };
        yield { claim, status, sleepsUntil: asleep === 0 ? undefined : sleeps_until };
        last = no;
      }
      if (rows.length === 0) return;
    }
  }

  async *#facts(runId: string, after = 0): AsyncIterable<StoredFact> {
    const run = await this.#look(() => this.#read.runById.get(runId) as { no: number } | undefined);
    if (run === undefined) throw missing(runId);
    for (let last = after, more = true; more;) {
      const moments = await this.#look(() =>
        this.#read.moments.all(run.no, last + 1) as { facts: string }[]
      );
      more = false;
      for (const { facts } of moments) {
        for (const fact of this.#parse(facts, runId)) {
          if (fact.seq <= last) continue;
          yield fact;
          last = fact.seq;
          more = true;
        }
      }
    }
  }

  #parse(facts: string, runId: string): StoredFact[] {
    const read = jsonOf(facts);
    if (read !== null) return read;
    throw new MaestroError(
      "STORE_FAILED",
      `Cannot use the store "${this.#path}": a fact of run "${runId}" is damaged; put a copy of the file back`,
    );
  }

  async #answerTo(number: number): Promise<CommandAnswer | undefined> {
    const answer = await this.#look(() => this.#inbox.answerTo(number));
    if (answer !== undefined) await this.#later(() => this.#inbox.drop(number));
    return answer;
  }

  async #prune(endedBefore: number, most = Infinity): Promise<number> {
    try {
      return await pruneRuns(
        this.#connections,
        this.#commit,
        { endedBefore, most },
        () => this.#known.forgetTexts(),
      );
    } catch (thrown) {
      throw storeFailed(this.#path, thrown);
    }
  }

  #size() {
    const { page_count, freelist_count, page_size } = this.#read.pages.get() as {
      page_count: number;
      freelist_count: number;
      page_size: number;
    };
    let log = 0;
    try {
      log = Deno.statSync(`${this.#path}-wal`).size;
    } catch { /* there is none */ }
    return { bytes: page_count * page_size + log, free: freelist_count * page_size };
  }

  /** This process's number among the owners, from its first run on. */
  async #take(owner: string): Promise<number> {
    const { no } = this.#lease;
    if (no !== null) return no;
    try {
      return await patiently(this.#timeout, () => {
        this.#commit.flush();
        this.#commit.flushOthers();
        this.#tidy();
        return this.#lease.take(owner);
      });
    } catch (thrown) {
      throw storeFailed(this.#path, thrown);
    }
  }

  /** Throws away what dead processes have left: their rows and locks, and what nobody will fetch or do. */
  #tidy(): void {
    for (const { no } of this.#write.owners.all() as { no: number }[]) {
      if (!this.#lease.isAlive(no)) this.#lease.bury(no);
    }
    this.#inbox.tidy();
    this.#commit.flush();
  }

  #row(runId: string): RunRow {
    const row = this.#write.runById.get(runId) as unknown as RunRow | undefined;
    if (row === undefined) throw missing(runId);
    return row;
  }

  /** Refuses whoever has lost the run, before anything is written. @returns the run's row */
  #fence(claim: Claim): number {
    const no = (claim as RowClaim).no;
    if (this.#known.tokenOf(no) === claim.token) return no;
    throw new MaestroError("CLAIM_LOST", `Another process has taken over run "${claim.runId}"`);
  }

  /** Writes in the transaction of this moment; resolves once that would survive a power cut. */
  #later<T>(action: () => T): Promise<T> {
    return this.#commit.write(action);
  }

  /** Reads what is committed. */
  async #look<T>(read: (reader: Connections["reader"]) => T | Promise<T>): Promise<T> {
    try {
      return await read(this.#connections.reader);
    } catch (thrown) {
      throw storeFailed(this.#path, thrown);
    }
  }

  #close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#inbox.close();
    this.#commit.close();
    this.#commit.flushOthers();
    const { writer, reader } = this.#connections;
    try {
      writer.exec(`PRAGMA busy_timeout = ${LAST_PATIENCE}`);
      this.#lease.release();
    } catch {
      /* its lease will run out */
    } finally {
      reader.close();
      writer.close();
    }
    return Promise.resolve();
  }
}
