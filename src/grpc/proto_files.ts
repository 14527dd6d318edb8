import { dirname, isAbsolute, join, normalize, relative } from "node:path";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import protobuf from "protobufjs";
import { MaestroError } from "../errors.ts";
import { whyUnreadable } from "../workflow/unreadable.ts";
import { fileDescriptor } from "./proto_convert.ts";
import { spellPlace, syntaxError } from "./proto_error.ts";
import { blankComments, importsIn, type ProtoImport, syntaxOf } from "./proto_text.ts";
import { wellKnownFile } from "./well_known.ts";

/** A .proto file and what it was found to say. */
export interface ProtoFile {
  /** As messages name it: as it was given, or relative to the import path it was found in. */
  readonly path: string;
  /** Without comments. */
  readonly text: string;
  readonly descriptor: FileDescriptorProto;
}

/**
 * Google's files of annotations, which nothing here reads. A copy that is there is used; where
 * there is none, nobody has to fetch one.
 */
const ANNOTATIONS =
  /^google\/api\/(annotations|client|field_behavior|field_info|http|launch_stage|resource|routing|visibility)\.proto$/;

/**
 * Reads .proto files and all that they import.
 *
 * @param entries are relative to the working directory, or absolute
 * @param importPaths are searched in order; then the directories of the entries are
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where a file is missing or can't be parsed
 */
export async function readProtoFiles(
  entries: readonly string[],
  importPaths: readonly string[],
): Promise<ProtoFile[]> {
  const roots = [...new Set([...importPaths, ...entries.map((entry) => dirname(entry))])];
  /** By path, so that a file is read once, by whatever names it is imported. */
  const files = new Map<string, ProtoFile>();
  const names = new Map<string, string>();

  const load = async (path: string, name: string, text: string): Promise<void> => {
    names.set(path, name);
    const blanked = blankComments(text);
    const imports: string[] = [];
    for (const wanted of importsIn(blanked)) {
      if (wellKnownFile(wanted.name) !== undefined) {
        imports.push(wanted.name);
        continue;
      }
      const found = await findImport(wanted.name, roots);
      if (found === undefined) {
        if (ANNOTATIONS.test(wanted.name)) continue;
        throw await missingImport(path, wanted, roots);
      }
      if (!names.has(found.path)) await load(found.path, wanted.name, found.text);
      imports.push(names.get(found.path) ?? wanted.name);
    }
    const info = { name, syntax: syntaxOf(blanked), imports };
    files.set(path, { path, text: blanked, descriptor: parse(path, text, blanked, info) });
  };

  for (const entry of entries) {
    const path = normalize(entry);
    if (names.has(path)) continue;
    const text = await Deno.readTextFile(path).catch((error: unknown) => {
      throw unreadable(entry, error);
    });
    await load(path, nameUnder(path, roots), text);
  }
  return [...files.values()];
}

function parse(
  path: string,
  text: string,
  blanked: string,
  info: Parameters<typeof fileDescriptor>[0],
): FileDescriptorProto {
  try {
    const parsed = protobuf.parse(text, new protobuf.Root(), { keepCase: true });
    return fileDescriptor(info, parsed);
  } catch (error) {
    throw syntaxError(path, blanked, error);
  }
}

/** The name by which others import a file: its path below the first root that holds it. */
function nameUnder(path: string, roots: readonly string[]): string {
  for (const root of roots) {
    const name = relative(root, path);
    if (!name.startsWith("..") && !isAbsolute(name)) return name.replaceAll("\\", "/");
  }
  return path;
}

const ABSENT = [Deno.errors.NotFound, Deno.errors.NotADirectory, Deno.errors.IsADirectory];

function unreadable(path: string, error: unknown): MaestroError {
  return new MaestroError(
    "SCHEMA_UNAVAILABLE",
    `Cannot read "${path}": ${whyUnreadable(error)}`,
    { cause: error },
  );
}

async function findImport(
  name: string,
  roots: readonly string[],
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  for (const root of roots) {
    const path = join(root, name);
    try {
      return { path, text: await Deno.readTextFile(path) };
    } catch (error) {
      // Other roots may have a file where this one has none; one that is kept from us is the one meant.
      if (!ABSENT.some((kind) => error instanceof kind)) throw unreadable(path, error);
    }
  }
  return undefined;
}

async function missingImport(
  importer: string,
  { name, place }: ProtoImport,
  roots: readonly string[],
): Promise<MaestroError> {
  const looked = roots.map((root) => `"${root}"`).join(", ");
  const root = await rootAbove(importer, name);
  const remedy = root === undefined
    ? `add to "import_paths" the directory that holds ${name}`
    : `add "${root}" to the service's "import_paths"`;
  return new MaestroError(
    "SCHEMA_UNAVAILABLE",
    `${
      spellPlace(importer, place)
    }: Cannot find the import "${name}": looked in ${looked}; ${remedy}`,
  );
}

/** A directory above the importing file that would do: .proto files are mostly kept in one tree. */
async function rootAbove(importer: string, name: string): Promise<string | undefined> {
  let directory = dirname(importer);
  for (;;) {
    const found = await Deno.stat(join(directory, name)).catch(() => undefined);
    if (found?.isFile) return directory;
    const above = dirname(directory);
    if (above === directory) return undefined;
    directory = above;
  }
}
