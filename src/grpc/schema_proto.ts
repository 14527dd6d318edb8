import type { Unresolved } from "./link.ts";
import { spellPlace } from "./proto_error.ts";
import { type ProtoFile, readProtoFiles } from "./proto_files.ts";
import { placeOf, quoted } from "./proto_text.ts";
import type { LoadedSchema } from "./schema_cache.ts";
import { buildSchema } from "./schema.ts";

/**
 * Reads a schema from .proto text.
 *
 * @param entries are relative to the working directory, or absolute, as are the import paths
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where a file, an import or a type is missing, or the
 * text is no protobuf; the message begins with `file:line:column`
 */
export async function protoSchema(
  entries: readonly string[],
  importPaths: readonly string[],
): Promise<LoadedSchema> {
  const files = await readProtoFiles(entries, importPaths);
  const byName = new Map(files.map((file) => [file.descriptor.name, file]));
  const schema = buildSchema(
    files.map((file) => file.descriptor),
    entries.join(", "),
    (missing) => whereUsed(byName.get(missing.file), missing),
  );
  return { schema, files: files.map((file) => file.path) };
}

/** Where a type that is missing is used: descriptors of parsed text keep no places. */
function whereUsed(file: ProtoFile | undefined, { file: name, user, type }: Unresolved): string {
  if (file === undefined) return name;
  const own = quoted(user.slice(user.lastIndexOf(".") + 1));
  const field = new RegExp(`(${quoted(type)})\\s*>?\\s+${own}\\s*=`);
  const method = new RegExp(`rpc\\s+${own}\\s*\\([\\s\\S]*?(${quoted(type)})\\s*\\)`);
  return spellPlace(file.path, placeOf(file.text, field) ?? placeOf(file.text, method));
}
