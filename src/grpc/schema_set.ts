import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { MaestroError } from "../errors.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";
import { buildSchema, type Schema } from "./schema.ts";

/**
 * Reads a compiled descriptor set, as `protoc --descriptor_set_out` and `buf build` write it.
 *
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where the file is missing, is none, or lacks its imports
 */
export async function descriptorSetSchema(file: string): Promise<Schema> {
  const bytes = await Deno.readFile(file).catch((error: unknown) => {
    throw new MaestroError(
      "SCHEMA_UNAVAILABLE",
      `Cannot read the descriptor set "${file}": ${whyUnreadable(error)}`,
      { cause: error },
    );
  });
  const files = parseSet(bytes);
  if (files === undefined) {
    throw new MaestroError(
      "SCHEMA_UNAVAILABLE",
      `Cannot use "${file}": it is not a descriptor set; make one with ` +
        `"buf build -o ${file}" or "protoc --include_imports --descriptor_set_out=${file} …"` +
        (file.endsWith(".proto") ? '; name a .proto file under "proto"' : ""),
    );
  }
  return buildSchema(files, file, (missing) => {
    return `${file}: it was made without its imports (protoc needs --include_imports): ${missing.file}`;
  });
}

/** A descriptor set's files; `undefined`: it is none. */
export function parseSet(bytes: Uint8Array): FileDescriptorProto[] | undefined {
  try {
    const { file: files, $unknown } = fromBinary(FileDescriptorSetSchema, bytes);
    // Text and pictures can happen to parse: a set has named files and nothing that is unknown.
    const plausible = files.length > 0 && $unknown === undefined &&
      files.every(({ name }) => name !== "");
    return plausible ? files : undefined;
  } catch {
    return undefined;
  }
}
