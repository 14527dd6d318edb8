import type { Caller, KeptText, Method, Target, TypeLookup } from "../engine/doors.ts";
import { Unreachable } from "../engine/doors.ts";
import { HealthWatch } from "./health_watch.ts";
import { keptSchema, keptTypes } from "./kept_schema.ts";
import { findMethod } from "./methods.ts";
import { ConnectionPool } from "./pool.ts";
import { reflectSchema } from "./reflect_schema.ts";
import { SchemaCache } from "./schema_cache.ts";
import { loadFiles } from "./schema_source.ts";
import type { Schema } from "./schema.ts";
import { ServiceMethod } from "./service_method.ts";

/**
 * The way to services that speak gRPC. Connects, and asks for schemas, when it first has to; close
 * it at the end, or its connections keep the process alive.
 */
export function grpcCaller(): Caller {
  return new GrpcCaller();
}

class GrpcCaller implements Caller {
  readonly #pool = new ConnectionPool();
  readonly #schemas = new SchemaCache();
  /** The methods found in each schema. */
  readonly #methods = new WeakMap<Schema, Map<string, Method>>();
  readonly #watches = new Set<HealthWatch>();

  async method(
    target: Target,
    name: string,
    { signal, schema: kept }: { signal?: AbortSignal; schema?: KeptText } = {},
  ): Promise<Method> {
    const schema = await orAborted(this.#schema(target, kept), target, signal);
    let methods = this.#methods.get(schema);
    if (methods === undefined) this.#methods.set(schema, methods = new Map());
    // Services that share a connection have names of their own, which messages mention.
    const key = `${target.service.name} ${target.key} ${name}`;
    let method = methods.get(key);
    if (method === undefined) {
      const found = findMethod(schema, target.service, name);
      methods.set(key, method = new ServiceMethod(this.#pool, target, schema, found));
    }
    return method;
  }

  watchHealth(target: Target, name: string, hear: (serving: boolean) => void): () => void {
    const watch = new HealthWatch({ pool: this.#pool, target, name, hear });
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch[Symbol.dispose]();
    };
  }

  types(kept: KeptText): Promise<TypeLookup> {
    return new Promise((resolve) => resolve(keptTypes(kept)));
  }

  close(): Promise<void> {
    // They would never end by themselves.
    for (const watch of this.#watches) watch[Symbol.dispose]();
    this.#watches.clear();
    return this.#pool.close();
  }

  async #schema(target: Target, kept: KeptText | undefined): Promise<Schema> {
    // Also where the schema is at hand: what is wrong with the endpoint or the TLS files shows now.
    const connection = await this.#pool.connect(target);
    if (kept !== undefined) {
      return await this.#schemas.get(kept.digest, () => Promise.resolve(keptSchema(kept)));
    }
    const source = target.service.schema;
    return source.kind === "reflection"
      ? await this.#schemas.get(target.key, () => reflectSchema(connection, target))
      : await this.#schemas.get(JSON.stringify(source), () => loadFiles(source));
  }
}

/** Stops waiting when the signal is aborted; what is being loaded is loaded on, for others. */
function orAborted<T>(
  loading: Promise<T>,
  { service, endpoint, shown = endpoint }: Target,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return loading;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => {
    const message = `The call to "${service.name}" at ${shown} was cancelled before it was sent`;
    reject(new Unreachable({ code: "CANCELLED", message, outcome: "not_sent" }));
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  loading.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}
