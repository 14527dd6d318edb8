import type {
  DescriptorProto,
  EnumDescriptorProto,
  FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

/** A message or an enum, by its full name (without a leading dot). */
export type DeclaredType =
  | { readonly kind: "message"; readonly name: string; readonly proto: DescriptorProto }
  | { readonly kind: "enum"; readonly name: string; readonly proto: EnumDescriptorProto };

/** Every message and enum of a file, the nested ones after the one around them. */
export function* declaredTypes(file: FileDescriptorProto): Generator<DeclaredType> {
  yield* typesOf(file.package, file.messageType, file.enumType);
}

/** A scope and a name in it; the outermost scope is `""`. */
export function within(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function* typesOf(
  scope: string,
  messages: readonly DescriptorProto[],
  enums: readonly EnumDescriptorProto[],
): Generator<DeclaredType> {
  for (const proto of enums) yield { kind: "enum", name: within(scope, proto.name), proto };
  for (const proto of messages) {
    const name = within(scope, proto.name);
    yield { kind: "message", name, proto };
    yield* typesOf(name, proto.nestedType, proto.enumType);
  }
}
