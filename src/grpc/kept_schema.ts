/**
 * Schemas as a journal keeps them, so that a run can go on with the one that it began with.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { clearField, clone, create, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { KeptText, TypeLookup } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import type { LoadedSchema } from "./schema_cache.ts";
import { parseSet } from "./schema_set.ts";
import { buildSchema, type Schema } from "./schema.ts";
import { wellKnownFile } from "./well_known.ts";

/** Most runs share a schema, and many are never kept. */
const texts = new WeakMap<Schema, KeptText>();

/**
 * A schema as text: its files, linked, as a descriptor set in base64, imports first, without those
 * that every schema has. Where it came from and the comments in it don't make another text.
 */
export function keptText(schema: Schema): KeptText {
  let kept = texts.get(schema);
  if (kept === undefined) {
    const file = [...schema.registry.files]
      .filter(({ proto }) => wellKnownFile(proto.name) === undefined)
      .map(({ proto }) => withoutComments(proto));
    const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
    const text = Buffer.from(set).toString("base64");
    texts.set(schema, kept = { digest: digestOf(text), text });
  }
  return kept;
}

/**
 * The schema that was kept.
 *
 * @throws {MaestroError} `SCHEMA_UNAVAILABLE`, where the text is not what was kept
 */
export function keptSchema(kept: KeptText): LoadedSchema {
  const { digest, text } = kept;
  const files = digestOf(text) === digest ? parseSet(Buffer.from(text, "base64")) : undefined;
  if (files === undefined) {
    throw new MaestroError(
      "SCHEMA_UNAVAILABLE",
      `Cannot use the schema that the run began with: the store's copy of it, ${digest}, is damaged`,
    );
  }
  const schema = buildSchema(files, "the schema that the run began with");
  texts.set(schema, kept);
  return { schema, files: [] };
}

/** The message types of a schema that was kept. @throws {MaestroError} `SCHEMA_UNAVAILABLE` */
export function keptTypes(kept: KeptText): TypeLookup {
  const { registry } = keptSchema(kept).schema;
  return (name) => registry.getMessage(name);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Compilers put comments and places into sets, often more of them than of everything else. */
function withoutComments(file: FileDescriptorProto): FileDescriptorProto {
  const copy = clone(FileDescriptorProtoSchema, file);
  clearField(copy, FileDescriptorProtoSchema.field.sourceCodeInfo);
  return copy;
}
