import { MaestroError } from "../errors.ts";
import type { Fact } from "../machines/facts.ts";
import type { Workflow } from "../workflow/model.ts";
import { decodeFact } from "./fact_codec.ts";
import type { Journal, KeptText, StoredFact } from "./doors.ts";
import { Remembered } from "./remembered.ts";

/** What a stored run goes by. */
export interface Beginning {
  /** Its first fact, whole. */
  readonly started: Extract<Fact, { readonly kind: "run_started" }>;
  /** Its definition as it was then. */
  readonly workflow: Workflow;
  /** The schemas of its services, as far as they are kept. */
  readonly schemas: ReadonlyMap<string, KeptText>;
}

/** What stored runs go by: so that they go on with what they started with, whatever has changed since. */
export class Beginnings {
  readonly #journal: Pick<Journal, "kept">;
  readonly #texts = new Remembered<string>();
  readonly #workflows = new Remembered<Workflow>();
  readonly #schemaMaps = new Remembered<ReadonlyMap<string, KeptText>>();

  constructor(journal: Pick<Journal, "kept">) {
    this.#journal = journal;
  }

  /**
   * What a run goes by, from its stored facts.
   *
   * @throws {MaestroError} `RUN_NOT_FOUND` where it never began, `STORE_FAILED`
   */
  async of(runId: string, stored: readonly StoredFact[]): Promise<Beginning> {
    const first = stored[0];
    if (first === undefined || first.kind !== "run_started") {
      throw new MaestroError("RUN_NOT_FOUND", `Run "${runId}" never began`);
    }
    const started = decodeFact(first, () => undefined) as Beginning["started"];
    const env = await this.#json(String(first["env"]), "environment", runId);
    return {
      started: { ...started, env },
      workflow: await this.#workflow(started.definition, runId),
      schemas: await this.#schemas({ ...started.schemas, ...foundLater(stored) }, runId),
    };
  }

  async #workflow(digest: string, runId: string): Promise<Workflow> {
    return this.#workflows.get(digest) ??
      this.#workflows.set(digest, await this.#json(digest, "definition", runId));
  }

  async #json(digest: string, what: string, runId: string) {
    const text = await this.#text(digest, what, runId);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new MaestroError(
        "STORE_FAILED",
        `The ${what} of run "${runId}" is damaged in the store; put a copy of the store's file back`,
        { cause },
      );
    }
  }

  /** Runs with the same schemas get the same map, by which what was found in them is remembered. */
  async #schemas(digests: Readonly<Record<string, string>>, runId: string) {
    const key = JSON.stringify(digests);
    const known = this.#schemaMaps.get(key);
    if (known !== undefined) return known;
    const schemas = new Map<string, KeptText>();
    for (const [service, digest] of Object.entries(digests)) {
      const text = await this.#text(digest, `schema of "${service}"`, runId);
      schemas.set(service, { digest, text });
    }
    return this.#schemaMaps.set(key, schemas);
  }

  async #text(digest: string, what: string, runId: string): Promise<string> {
    const text = this.#texts.get(digest) ?? await this.#journal.kept(digest);
    if (text !== undefined) return this.#texts.set(digest, text);
    throw new MaestroError("STORE_FAILED", `The ${what} of run "${runId}" is not in the store`);
  }
}

function foundLater(stored: readonly StoredFact[]): Record<string, string> {
  return Object.fromEntries(
    stored.filter(({ kind }) => kind === "schema_found")
      .map(({ service, schema }) => [String(service), String(schema)]),
  );
}
