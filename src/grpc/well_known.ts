import { create, createFileRegistry, type FileRegistry } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_cpp_features,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { file_google_rpc_code } from "../gen/google/rpc/code_pb.ts";
import { file_google_rpc_error_details } from "../gen/google/rpc/error_details_pb.ts";
import { file_google_rpc_status } from "../gen/google/rpc/status_pb.ts";

/** Files that nobody has to supply; each stands after those that it imports. */
const FILES = [
  file_google_protobuf_descriptor,
  file_google_protobuf_any,
  file_google_protobuf_source_context,
  file_google_protobuf_type,
  file_google_protobuf_api,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  file_google_protobuf_cpp_features,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
  file_google_rpc_code,
  file_google_rpc_status,
  file_google_rpc_error_details,
];

/** The files that every schema has: `google/protobuf/*.proto` and `google/rpc/*.proto`, imports first. */
export const WELL_KNOWN_FILES: readonly FileDescriptorProto[] = FILES.map((file) => file.proto);

const byName = new Map(WELL_KNOWN_FILES.map((file) => [file.name, file]));

/** The bundled file of that name, such as `google/protobuf/any.proto`. */
export function wellKnownFile(name: string): FileDescriptorProto | undefined {
  return byName.get(name);
}

/** The types of the bundled files, where there is no service's schema to look in. */
export const WELL_KNOWN_TYPES: FileRegistry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: [...WELL_KNOWN_FILES] }),
);
