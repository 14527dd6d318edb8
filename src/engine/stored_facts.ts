import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import { type Beginning, Beginnings } from "./beginnings.ts";
import type { Caller, Journal, KeptText, StoredFact, TypeLookup } from "./doors.ts";
import { childId } from "./children.ts";
import { Remembered } from "./remembered.ts";
import { type ChildTypes, RunTypes } from "./run_types.ts";

/** Reads a schema that was kept. */
export type ReadTypes = NonNullable<Caller["types"]>;

/** The facts of stored runs, whole: what they only name is looked up in the journal. */
export class StoredFacts {
  readonly #journal: Pick<Journal, "read" | "kept">;
  readonly #beginnings: Beginnings;
  readonly #readTypes: ReadTypes | undefined;
  /** By digest: runs share them. */
  readonly #types = new Remembered<Promise<TypeLookup>>();

  /** @param readTypes left out, messages can't be read */
  constructor(
    journal: Pick<Journal, "read" | "kept">,
    readTypes: ReadTypes | undefined,
    beginnings: Beginnings = new Beginnings(journal),
  ) {
    this.#journal = journal;
    this.#readTypes = readTypes;
    this.#beginnings = beginnings;
  }

  /** What a run began with. @throws {MaestroError} `RUN_NOT_FOUND` */
  async beginning(runId: string): Promise<Beginning> {
    for await (const first of this.#journal.read(runId)) {
      return await this.#beginnings.of(runId, [first]);
    }
    throw new MaestroError("RUN_NOT_FOUND", `There is no run "${runId}"`);
  }

  /** A reader of one run's facts, which has to see all of them, from the first on. */
  reader(runId: string): FactReader {
    return new FactReader(runId, {
      beginning: (first) => this.#beginnings.of(runId, [first]),
      kept: (digest) => this.#journal.kept(digest),
      types: (kept) => this.#typesOf(kept),
      childTypes: (path, revisions) => this.#childTypes(runId, path, revisions),
    });
  }

  /**
   * The facts of a run after its first, in order.
   *
   * @param types those of the run's services
   */
  async decode(
    runId: string,
    stored: readonly StoredFact[],
    types: TypeLookup,
  ): Promise<readonly Fact[]> {
    const reading = new RunTypes(
      [types],
      (path, revisions) => this.#childTypes(runId, path, revisions),
    );
    const facts: Fact[] = [];
    for (const fact of stored) facts.push(await reading.decode(fact));
    return facts;
  }

  /** The types of what the child runs of a step gave: of their services, and of their own child runs'. */
  async #childTypes(runId: string, path: string, revisions: number): Promise<TypeLookup[]> {
    const found: TypeLookup[] = [];
    for (let revision = 0; revision <= revisions; revision++) {
      const id = childId(runId, path, revision);
      const stored = await this.#read(id);
      if (stored.length === 0) continue; // it could not be made
      const { schemas } = await this.#beginnings.of(id, stored);
      for (const kept of schemas.values()) {
        const types = await this.#typesOf(kept);
        if (types !== undefined) found.push(types);
      }
      for (const { kind, form, path } of stored) {
        if (kind !== "step_started" || form !== "workflow") continue;
        const retries = stored.filter((fact) =>
          fact.kind === "attention_resolved" && fact["path"] === path
        );
        found.push(...await this.#childTypes(id, String(path), retries.length));
      }
    }
    return found;
  }

  /** A run's facts; none, where there is no such run. */
  async #read(runId: string): Promise<readonly StoredFact[]> {
    try {
      return await Array.fromAsync(this.#journal.read(runId));
    } catch (thrown) {
      if (MaestroError.from(thrown).code === "RUN_NOT_FOUND") return [];
      throw thrown;
    }
  }

  #typesOf(kept: KeptText): Promise<TypeLookup> | undefined {
    if (this.#readTypes === undefined) return undefined;
    return this.#types.get(kept.digest) ?? this.#types.set(kept.digest, this.#readTypes(kept));
  }
}

/** Where a {@linkcode FactReader} looks things up. */
interface Lookups {
  beginning(first: StoredFact): Promise<Beginning>;
  kept(digest: string): Promise<string | undefined>;
  types(kept: KeptText): Promise<TypeLookup> | undefined;
  readonly childTypes: ChildTypes;
}

/** Reads the facts of one run, in order. */
export class FactReader {
  readonly #runId: string;
  readonly #lookups: Lookups;
  readonly #types: RunTypes;
  #beginning: Beginning | null = null;

  constructor(runId: string, lookups: Lookups) {
    this.#runId = runId;
    this.#lookups = lookups;
    this.#types = new RunTypes([], lookups.childTypes);
  }

  /** What it began with, once its first fact was read. @throws {MaestroError} `RUN_NOT_FOUND` */
  get beginning(): Beginning {
    if (this.#beginning !== null) return this.#beginning;
    throw new MaestroError("RUN_NOT_FOUND", `Run "${this.#runId}" never began`);
  }

  /** The next fact. @throws {MaestroError} `STORE_FAILED`, `SCHEMA_UNAVAILABLE` */
  async read(stored: StoredFact): Promise<Fact> {
    if (stored.seq === 1) {
      this.#beginning = await this.#lookups.beginning(stored);
      const { started, schemas } = this.#beginning;
      for (const kept of schemas.values()) await this.#add(kept);
      return started;
    }
    const fact = await this.#types.decode(stored);
    if (fact.kind === "schema_found") {
      const text = await this.#lookups.kept(fact.schema);
      if (text === undefined) {
        throw new MaestroError(
          "STORE_FAILED",
          `The schema of "${fact.service}" of run "${this.#runId}" is not in the store`,
        );
      }
      await this.#add({ digest: fact.schema, text });
    }
    return fact;
  }

  async #add(kept: KeptText): Promise<void> {
    const types = await this.#lookups.types(kept);
    if (types !== undefined) this.#types.add(types);
  }
}
