import type { DescMessage, Registry } from "@bufbuild/protobuf";
import type { Method, TypeLookup } from "../engine/doors.ts";
import type { Service } from "../workflow/model.ts";
import { findMethod, methodName } from "./methods.ts";
import { SchemaCache } from "./schema_cache.ts";
import { loadFiles } from "./schema_source.ts";
import { idempotencyOf } from "./service_method.ts";

/** A method as its schema's files describe it. */
export interface DescribedMethod {
  /** `acme.payments.v1.Payments/Charge`. */
  readonly name: string;
  readonly idempotency: Method["idempotency"];
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly registry: Registry;
  readonly types: TypeLookup;
}

/** A workflow calls many methods of one service: its files are read once, and again when they change. */
const schemas = new SchemaCache();

/**
 * Finds a method in a service's schema files, and opens no connection.
 *
 * @returns `undefined`, where the schema is not at hand, since the server has to be asked for it
 * @throws {MaestroError} `METHOD_NOT_FOUND` or `SCHEMA_UNAVAILABLE`
 */
export async function describeMethod(
  service: Pick<Service, "name" | "protoService" | "schema">,
  name: string,
): Promise<DescribedMethod | undefined> {
  if (service.schema.kind === "reflection") return undefined;
  const source = service.schema;
  const schema = await schemas.get(JSON.stringify(source), () => loadFiles(source));
  const method = findMethod(schema, service, name);
  return {
    name: methodName(method),
    idempotency: idempotencyOf(method),
    input: method.input,
    output: method.output,
    registry: schema.registry,
    types: (typeName) => schema.registry.getMessage(typeName),
  };
}
