import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { declaredTypes, within } from "./walk_descriptor.ts";

/** A type that is named and nowhere to be found. */
export interface Unresolved {
  readonly file: string;
  /** Who names it: `acme.BuyRequest.price` or `acme.Shop.Buy`. */
  readonly user: string;
  /** As it is written. */
  readonly type: string;
}

interface Declared {
  readonly file: string;
  readonly kind: "message" | "enum";
  readonly mapEntry: boolean;
}

/**
 * Completes descriptors that were parsed from text, or that a sloppy reflection server gave, as
 * protoc would have: type names become absolute, by protobuf's scoping rules; a field knows
 * whether its type is a message or an enum; JSON names and missing imports are filled in.
 *
 * @param files are changed in place
 * @param known are only looked in
 * @returns the types that are not declared anywhere
 */
export function linkFiles(
  files: readonly FileDescriptorProto[],
  known: readonly FileDescriptorProto[],
): Unresolved[] {
  const declared = new Map<string, Declared>();
  for (const file of [...known, ...files]) {
    for (const type of declaredTypes(file)) {
      const mapEntry = type.kind === "message" && type.proto.options?.mapEntry === true;
      declared.set(type.name, { file: file.name, kind: type.kind, mapEntry });
    }
  }
  return files.flatMap((file) => linkFile(file, declared));
}

function linkFile(file: FileDescriptorProto, declared: ReadonlyMap<string, Declared>) {
  const unresolved: Unresolved[] = [];
  const imports = new Set(file.dependency);

  /** The absolute name, with what it names. */
  const resolve = (scope: string, user: string, type: string, wantsMapEntry: boolean) => {
    const found = findInScope(declared, scope, type, wantsMapEntry);
    if (found === undefined) {
      unresolved.push({ file: file.name, user, type });
      return undefined;
    }
    if (found.at.file !== file.name) imports.add(found.at.file);
    return { name: `.${found.name}`, kind: found.at.kind };
  };

  const linkField = (scope: string, field: FieldDescriptorProto, siblings: DescriptorProto[]) => {
    field.jsonName ||= jsonName(field.name);
    if (field.typeName !== "") {
      const wantsMapEntry = field.label === FieldDescriptorProto_Label.REPEATED &&
        siblings.some((one) => isEntryOf(one, field));
      const type = resolve(scope, within(scope, field.name), field.typeName, wantsMapEntry);
      if (type !== undefined) {
        field.typeName = type.name;
        if (type.kind === "enum") field.type = FieldDescriptorProto_Type.ENUM;
        else if (field.type !== FieldDescriptorProto_Type.GROUP) {
          field.type = FieldDescriptorProto_Type.MESSAGE;
        }
      }
    }
    if (field.extendee !== "") {
      field.extendee = resolve(scope, within(scope, field.name), field.extendee, false)?.name ??
        field.extendee;
    }
  };

  const linkMessage = (scope: string, message: DescriptorProto) => {
    const name = within(scope, message.name);
    for (const field of message.field) {
      linkField(name, field, message.nestedType);
      markOptional(file, message, field);
    }
    for (const field of message.extension) linkField(name, field, []);
    for (const nested of message.nestedType) linkMessage(name, nested);
  };

  for (const message of file.messageType) linkMessage(file.package, message);
  for (const field of file.extension) linkField(file.package, field, []);
  for (const service of file.service) {
    const name = within(file.package, service.name);
    for (const method of service.method) {
      const user = within(name, method.name);
      method.inputType = resolve(name, user, method.inputType, false)?.name ?? method.inputType;
      method.outputType = resolve(name, user, method.outputType, false)?.name ?? method.outputType;
    }
  }
  file.dependency = [...imports];
  return unresolved;
}

/** Protobuf's rule: the innermost scope that has the name wins; a leading dot means the root. */
function findInScope(
  declared: ReadonlyMap<string, Declared>,
  scope: string,
  type: string,
  wantsMapEntry: boolean,
): { readonly name: string; readonly at: Declared } | undefined {
  if (type.startsWith(".")) {
    const at = declared.get(type.slice(1));
    return at === undefined ? undefined : { name: type.slice(1), at };
  }
  for (let around = scope;; around = around.slice(0, Math.max(0, around.lastIndexOf(".")))) {
    const name = within(around, type);
    const at = declared.get(name);
    // Node's reflection names the entry of `money` plainly `Money`, which must not hide a type.
    if (at !== undefined && at.mapEntry === wantsMapEntry) return { name, at };
    if (around === "") return undefined;
  }
}

function isEntryOf(message: DescriptorProto, field: FieldDescriptorProto): boolean {
  return message.options?.mapEntry === true &&
    message.name === field.typeName.slice(field.typeName.lastIndexOf(".") + 1);
}

/** Node's reflection loses the mark of `optional` in proto3, but keeps the oneof `_name` that stands for it. */
function markOptional(
  file: FileDescriptorProto,
  message: DescriptorProto,
  field: FieldDescriptorProto,
): void {
  if (file.syntax !== "proto3" || field.proto3Optional || !Object.hasOwn(field, "oneofIndex")) {
    return;
  }
  const oneof = message.oneofDecl[field.oneofIndex];
  const alone =
    message.field.filter((other) =>
      Object.hasOwn(other, "oneofIndex") && other.oneofIndex === field.oneofIndex
    ).length === 1;
  if (oneof?.name === `_${field.name}` && alone) field.proto3Optional = true;
}

/** `user_id` → `userId`, as protoc does it. */
function jsonName(name: string): string {
  return name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}
