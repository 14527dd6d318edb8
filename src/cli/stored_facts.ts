import { type Beginning, Beginnings } from "../engine/beginnings.ts";
import type { Journal, KeptText, StoredFact } from "../engine/doors.ts";
import { decodeFact } from "../engine/fact_codec.ts";
import type { Schema } from "../grpc/schema.ts";
import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";

/** The facts of stored runs, whole: what they only name is looked up in the journal. */
export class StoredFacts {
  readonly #journal: Journal;
  readonly #beginnings: Beginnings;
  /** By digest: runs share them. */
  readonly #schemas = new Map<string, Schema>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#beginnings = new Beginnings(journal);
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
      schema: (kept) => this.#schema(kept),
    });
  }

  async #schema(kept: KeptText): Promise<Schema> {
    let schema = this.#schemas.get(kept.digest);
    if (schema === undefined) {
      const { keptSchema } = await import("../grpc/kept_schema.ts");
      ({ schema } = keptSchema(kept));
      this.#schemas.set(kept.digest, schema);
    }
    return schema;
  }
}

/** Where a {@linkcode FactReader} looks things up. */
interface Lookups {
  beginning(first: StoredFact): Promise<Beginning>;
  kept(digest: string): Promise<string | undefined>;
  schema(kept: KeptText): Promise<Schema>;
}

/** Reads the facts of one run, in order. */
export class FactReader {
  readonly #runId: string;
  readonly #lookups: Lookups;
  /** Of the run's services: what they answered is read by them. */
  readonly #schemas: Schema[] = [];

  constructor(runId: string, lookups: Lookups) {
    this.#runId = runId;
    this.#lookups = lookups;
  }

  /** The next fact. @throws {MaestroError} `STORE_FAILED`, `SCHEMA_UNAVAILABLE` */
  async read(stored: StoredFact): Promise<Fact> {
    if (stored.seq === 1) {
      const { started, schemas } = await this.#lookups.beginning(stored);
      for (const kept of schemas.values()) await this.#add(kept);
      return started;
    }
    const fact = decodeFact(stored, (name) => this.#find(name));
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
    this.#schemas.push(await this.#lookups.schema(kept));
  }

  #find(name: string) {
    for (const { registry } of this.#schemas) {
      const type = registry.getMessage(name);
      if (type !== undefined) return type;
    }
    return undefined;
  }
}
