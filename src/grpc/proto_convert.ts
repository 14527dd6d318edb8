import { create, type DescMessage, fromJson, type MessageShape } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  Edition,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import protobuf from "protobufjs";

/** Scalar types by their names in .proto files. */
const SCALARS: Readonly<Record<string, Type>> = {
  double: Type.DOUBLE,
  float: Type.FLOAT,
  int64: Type.INT64,
  uint64: Type.UINT64,
  int32: Type.INT32,
  fixed64: Type.FIXED64,
  fixed32: Type.FIXED32,
  bool: Type.BOOL,
  string: Type.STRING,
  bytes: Type.BYTES,
  uint32: Type.UINT32,
  sfixed32: Type.SFIXED32,
  sfixed64: Type.SFIXED64,
  sint32: Type.SINT32,
  sint64: Type.SINT64,
};

/** Editions by their names in .proto files. */
const EDITIONS: Readonly<Record<string, Edition>> = {
  "2023": Edition.EDITION_2023,
  "2024": Edition.EDITION_2024,
};

/** What is known of a file besides what the parser gives. */
export interface ProtoFileInfo {
  readonly name: string;
  readonly syntax: string;
  readonly imports: readonly string[];
}

/**
 * What protobufjs parsed, as a descriptor. Type names stay as they were written: see `linkFiles`.
 * Custom options are left out, since nothing here reads them.
 */
export function fileDescriptor(
  { name, syntax, imports }: ProtoFileInfo,
  parsed: protobuf.IParserResult,
): FileDescriptorProto {
  const edition = EDITIONS[syntax];
  const file = create(FileDescriptorProtoSchema, {
    name,
    package: parsed.package ?? "",
    dependency: [...imports],
    syntax: edition === undefined ? syntax : "editions",
    ...(edition === undefined ? {} : { edition }),
  });
  const scope = parsed.package === undefined || parsed.package === ""
    ? parsed.root
    : parsed.root.lookup(parsed.package);
  for (const nested of scope instanceof protobuf.Namespace ? scope.nestedArray : []) {
    if (nested instanceof protobuf.Type) file.messageType.push(message(nested));
    else if (nested instanceof protobuf.Enum) file.enumType.push(enumeration(nested));
    else if (nested instanceof protobuf.Service) file.service.push(service(nested));
    else if (nested instanceof protobuf.Field) file.extension.push(field(nested));
  }
  return file;
}

function message(type: protobuf.Type): DescriptorProto {
  // The oneofs that only stand for `optional` come last, as protoc has them.
  const oneofs = type.oneofsArray.filter((one) => !isOptional(one)).concat(
    type.oneofsArray.filter(isOptional),
  );
  const proto = create(DescriptorProtoSchema, {
    name: type.name,
    oneofDecl: oneofs.map(({ name }) => ({ name })),
    ...known(MessageOptionsSchema, type.options),
  });
  for (const one of type.fieldsArray) {
    // protobufjs adds a type's extensions to its fields, by their absolute names.
    if (one.name.startsWith(".")) continue;
    const converted = field(one);
    if (one.partOf !== null) {
      converted.oneofIndex = oneofs.indexOf(one.partOf);
      if (isOptional(one.partOf)) converted.proto3Optional = true;
    }
    if (one instanceof protobuf.MapField) {
      const entry = mapEntry(one);
      converted.label = Label.REPEATED;
      converted.typeName = entry.name;
      converted.type = Type.MESSAGE;
      proto.nestedType.push(entry);
    }
    proto.field.push(converted);
  }
  for (const nested of type.nestedArray) {
    if (nested instanceof protobuf.Type) proto.nestedType.push(message(nested));
    else if (nested instanceof protobuf.Enum) proto.enumType.push(enumeration(nested));
    else if (nested instanceof protobuf.Field) proto.extension.push(field(nested));
  }
  return proto;
}

/** protobufjs makes a oneof of its own for a proto3 `optional`. */
function isOptional(oneof: protobuf.OneOf): boolean {
  return oneof.fieldsArray[0]?.options?.proto3_optional === true;
}

function field(one: protobuf.FieldBase): FieldDescriptorProto {
  const rule = "rule" in one ? one.rule : undefined;
  const jsonName = one.options?.json_name;
  const defaultValue = one.options?.default;
  return create(FieldDescriptorProtoSchema, {
    name: one.name,
    number: one.id,
    label: rule === "repeated" || one.repeated
      ? Label.REPEATED
      : rule === "required"
      ? Label.REQUIRED
      : Label.OPTIONAL,
    ...typed(one.type),
    ...(isGroup(one) ? { type: Type.GROUP } : {}),
    ...(typeof jsonName === "string" ? { jsonName } : {}),
    ...(defaultValue === undefined ? {} : { defaultValue: spellDefault(one.type, defaultValue) }),
    ...(one.extend === undefined ? {} : { extendee: one.extend }),
    ...known(FieldOptionsSchema, one.options),
  });
}

function typed(name: string): { type: Type; typeName?: string } {
  const scalar = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
  return scalar === undefined ? { type: Type.MESSAGE, typeName: name } : { type: scalar };
}

/** A default as descriptors spell it. */
function spellDefault(type: string, value: unknown): string {
  const text = String(value);
  if (type === "double" || type === "float") {
    return text.replace("Infinity", "inf").replace("NaN", "nan");
  }
  if (type !== "bytes") return text;
  return text.replace(
    /[^\x20-\x7e]|["'\\]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function isGroup(one: protobuf.FieldBase): boolean {
  const type = one.parent instanceof protobuf.Namespace ? one.parent.get(one.type) : null;
  // Declared nowhere, but there: what `repeated group Item = 1 {}` gives.
  return type instanceof protobuf.Type && "group" in type && type.group === true;
}

/** protoc's message behind a map: `counts` has `CountsEntry`. */
function mapEntry(one: protobuf.MapField): DescriptorProto {
  const part = (name: string, number: number, type: string) => ({
    name,
    number,
    label: Label.OPTIONAL,
    ...typed(type),
  });
  const camel = one.name.replace(/(?:^|_+)(.?)/g, (_, next: string) => next.toUpperCase());
  return create(DescriptorProtoSchema, {
    name: `${camel}Entry`,
    field: [part("key", 1, one.keyType), part("value", 2, one.type)],
    options: { mapEntry: true },
  });
}

function enumeration(type: protobuf.Enum): EnumDescriptorProto {
  return create(EnumDescriptorProtoSchema, {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => ({ name, number })),
    ...known(EnumOptionsSchema, type.options),
  });
}

function service(one: protobuf.Service): ServiceDescriptorProto {
  return create(ServiceDescriptorProtoSchema, {
    name: one.name,
    method: one.methodsArray.map((method) =>
      create(MethodDescriptorProtoSchema, {
        name: method.name,
        inputType: method.requestType,
        outputType: method.responseType,
        ...(method.requestStream === true ? { clientStreaming: true } : {}),
        ...(method.responseStream === true ? { serverStreaming: true } : {}),
        ...known(MethodOptionsSchema, method.options),
      })
    ),
  });
}

/** The options that protobuf itself defines; the rest are annotations for others to read. */
function known<Desc extends DescMessage>(
  desc: Desc,
  options: Readonly<Record<string, unknown>> | undefined,
): { options?: MessageShape<Desc> } {
  const own = Object.entries(options ?? {}).filter(([name]) =>
    desc.fields.some((one) => one.name === name)
  );
  if (own.length === 0) return {};
  // Parsed options are numbers, booleans, strings and nests of these.
  const json = JSON.parse(JSON.stringify(Object.fromEntries(own)));
  return { options: fromJson(desc, json, { ignoreUnknownFields: true }) };
}
