import type { Service } from "../workflow/model.ts";
import type { LoadedSchema } from "./schema_cache.ts";
import { descriptorSetSchema } from "./schema_set.ts";

/** A schema source that needs no server. */
export type FileSource = Exclude<Service["schema"], { readonly kind: "reflection" }>;

/**
 * Reads a schema from files, and opens no connection.
 *
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`
 */
export async function loadFiles(source: FileSource): Promise<LoadedSchema> {
  if (source.kind === "descriptor_set") {
    return { schema: await descriptorSetSchema(source.file), files: [source.file] };
  }
  // The parser is imported only where a workflow has .proto files.
  const { protoSchema } = await import("./schema_proto.ts");
  return await protoSchema(source.files, source.importPaths);
}
