import {
  create,
  createFileRegistry,
  type DescService,
  type FileRegistry,
} from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { MaestroError } from "../errors.ts";
import { linkFiles, type Unresolved } from "./link.ts";
import { declaredTypes } from "./walk_descriptor.ts";
import { WELL_KNOWN_FILES, WELL_KNOWN_TYPES } from "./well_known.ts";

/** What a service's schema source says: its services, and every type they speak of. */
export interface Schema {
  /** The well-known types and `google.rpc`'s are always among them. */
  readonly registry: FileRegistry;
  readonly services: readonly DescService[];
  /** Where it comes from, for messages: `server reflection`, `protos/a.proto`. */
  readonly origin: string;
}

/**
 * Makes a schema of descriptors in any order, linking them where they aren't.
 *
 * @param explain says where a missing type is named, where the source knows more than the file
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where a type or an import is missing, or imports form a circle
 */
export function buildSchema(
  given: readonly FileDescriptorProto[],
  origin: string,
  explain: (missing: Unresolved) => string = ({ file }) => file,
): Schema {
  const files = withoutWellKnown(given);
  const unresolved = linkFiles(files, WELL_KNOWN_FILES);
  const missing = unresolved[0];
  if (missing !== undefined) {
    throw new MaestroError(
      "SCHEMA_UNAVAILABLE",
      `${explain(missing)}: Cannot find the type "${missing.type}" that ${missing.user} uses`,
    );
  }
  const ordered = importsFirst(files, origin);
  try {
    const set = create(FileDescriptorSetSchema, { file: [...WELL_KNOWN_FILES, ...ordered] });
    const registry = createFileRegistry(set);
    const services = ordered.flatMap((file) => registry.getFile(file.name)?.services ?? []);
    return { registry, services, origin };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MaestroError(
      "SCHEMA_UNAVAILABLE",
      `Cannot use the schema from ${origin}: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * One file of each name, and none that declares only what the bundled files declare: Node's
 * reflection serves mangled copies of those, under names of its own.
 */
function withoutWellKnown(given: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const files = new Map<string, FileDescriptorProto>();
  for (const file of given) {
    const types = [...declaredTypes(file)];
    const bundled = WELL_KNOWN_TYPES.getFile(file.name) !== undefined ||
      types.length > 0 && file.service.length === 0 && file.extension.length === 0 &&
        types.every((type) => isBundled(type.name));
    if (!bundled && !files.has(file.name)) files.set(file.name, file);
  }
  return [...files.values()];
}

function isBundled(typeName: string): boolean {
  if (WELL_KNOWN_TYPES.get(typeName) !== undefined) return true;
  // A map entry is no type of its own: `google.protobuf.Struct.FieldsEntry`.
  return WELL_KNOWN_TYPES.getMessage(typeName.slice(0, typeName.lastIndexOf("."))) !== undefined;
}

function importsFirst(
  files: readonly FileDescriptorProto[],
  origin: string,
): FileDescriptorProto[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const ordered: FileDescriptorProto[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (file: FileDescriptorProto, path: readonly string[]) => {
    if (state.get(file.name) === "done") return;
    if (state.get(file.name) === "open") {
      const circle = [...path.slice(path.indexOf(file.name)), file.name].join(" imports ");
      throw new MaestroError(
        "SCHEMA_UNAVAILABLE",
        `Cannot use the schema from ${origin}: its files form a circle: ${circle}`,
      );
    }
    state.set(file.name, "open");
    file.dependency = file.dependency.filter((name) => {
      const dependency = byName.get(name);
      if (dependency !== undefined) visit(dependency, [...path, file.name]);
      // What nothing is used of, such as a file of annotations, can't be missed.
      return dependency !== undefined || WELL_KNOWN_TYPES.getFile(name) !== undefined;
    });
    file.publicDependency = [];
    file.weakDependency = [];
    state.set(file.name, "done");
    ordered.push(file);
  };
  for (const file of files) visit(file, []);
  return ordered;
}
