// Reflection of the example services gives descriptors that a strict reader takes.

import assert from "node:assert/strict";
import {
  create,
  createFileRegistry,
  type DescService,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { service } from "../../examples/services/node/server/descriptors.mjs";
import { programs } from "../../examples/services/programs.ts";
import type { ServicesClient } from "./services_client.ts";
import { testPrograms } from "./services_harness.ts";

/** grpcio-reflection knows only the old version: a client has to fall back. */
const versionsOf = {
  python: ["v1alpha"],
  go: ["v1", "v1alpha"],
  node: ["v1", "v1alpha"],
  deno: ["v1", "v1alpha"],
};

testPrograms("reflection gives whole descriptors", async ({ client, language }) => {
  for (const version of versionsOf[language]) {
    const ask: Ask = (question, value) => askReflection(client, version, question, value);
    const listed = (await ask("listServices", "")).service.map(({ name }) => name);
    const expected = programs[language].services
      .map((name) => `${name}.v1.${name[0]?.toUpperCase()}${name.slice(1)}`)
      .concat("ledger.v1.Ledger", "grpc.health.v1.Health");
    for (const name of expected) {
      assert(listed.includes(name), `${name} is not in ${listed}`);
      assert.deepEqual(
        methodsOf((await registryOf(name, ask)).getService(name)),
        methodsOf(service(name)),
      );
    }
  }
});

interface Answer {
  readonly service: readonly { readonly name: string }[];
  readonly fileDescriptorProto: readonly Uint8Array[];
}

type Question = "listServices" | "fileContainingSymbol" | "fileByFilename";
type Ask = (question: Question, value: string) => Promise<Answer>;

/** One question over reflection. */
async function askReflection(
  client: ServicesClient,
  version: string,
  question: Question,
  value: string,
): Promise<Answer> {
  const method = service(`grpc.reflection.${version}.ServerReflection`).method.serverReflectionInfo;
  assert(method);
  const request = { messageRequest: { case: question, value } };
  const call = client.open(method);
  call.send(request);
  call.end();
  const [answer] = await call.rest();
  // The message is a dynamic one: only here is it told what it holds.
  return (answer as unknown as { messageResponse: { value: Answer } }).messageResponse.value;
}

/** All that a service needs, asked for file by file. Incomplete descriptors make this throw. */
async function registryOf(name: string, ask: Ask): Promise<FileRegistry> {
  const files = new Map<string, FileDescriptorProto>();
  const pending: [Question, string][] = [["fileContainingSymbol", name]];
  for (let next = pending.shift(); next; next = pending.shift()) {
    for (const bytes of (await ask(...next)).fileDescriptorProto) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
      for (const imported of file.dependency) {
        if (!files.has(imported)) pending.push(["fileByFilename", imported]);
      }
    }
  }
  return createFileRegistry(create(FileDescriptorSetSchema, { file: importsFirst(files) }));
}

function importsFirst(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const add = (file: FileDescriptorProto | undefined) => {
    if (!file || ordered.has(file)) return;
    file.dependency.forEach((name) => add(files.get(name)));
    ordered.add(file);
  };
  files.forEach(add);
  return [...ordered];
}

function methodsOf(described: DescService | undefined): string[] {
  return (described?.methods ?? [])
    .map(({ name, methodKind, input, output }) =>
      `${methodKind} ${name}(${input.typeName}): ${output.typeName}`
    )
    .sort();
}
