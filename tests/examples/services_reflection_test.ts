// Reflection of the example services gives descriptors that a strict reader takes.

import assert from "node:assert/strict";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { service } from "../../examples/services/node/server/descriptors.mjs";
import { programs } from "../../examples/services/programs.ts";
import { testPrograms } from "./services_harness.ts";

for (const version of ["v1", "v1alpha"]) {
  testPrograms(`reflection ${version} gives whole descriptors`, async ({ client, language }) => {
    const method = service(`grpc.reflection.${version}.ServerReflection`).method
      .serverReflectionInfo;
    assert(method);
    /** One question over reflection; the messages are dynamic, so their types are told here. */
    const ask = async (request: { case: string; value: string }) => {
      const [answer] = await client.stream(method, { messageRequest: request }, 1);
      return (answer as unknown as {
        messageResponse: {
          value: { service: { name: string }[]; fileDescriptorProto: Uint8Array[] };
        };
      }).messageResponse.value;
    };

    const listed = (await ask({ case: "listServices", value: "" })).service.map((s) => s.name);
    const expected = programs[language].services
      .map((name) => `${name}.v1.${name[0]?.toUpperCase()}${name.slice(1)}`)
      .concat("ledger.v1.Ledger", "grpc.health.v1.Health");
    for (const name of expected) {
      assert(listed.includes(name), `${name} is not in ${listed}`);
      assert.deepEqual(await registryOf(name), methodsOf(name));
    }

    /** The methods of a service as its descriptors tell, which must be complete to be read. */
    async function registryOf(name: string): Promise<string[]> {
      const files = new Map();
      const pending: { case: string; value: string }[] = [
        { case: "fileContainingSymbol", value: name },
      ];
      for (let next = pending.shift(); next; next = pending.shift()) {
        for (const bytes of (await ask(next)).fileDescriptorProto) {
          const file = fromBinary(FileDescriptorProtoSchema, bytes);
          files.set(file.name, file);
          for (const value of file.dependency) {
            if (!files.has(value)) pending.push({ case: "fileByFilename", value });
          }
        }
      }
      const $typeName = FileDescriptorSetSchema.typeName;
      const registry = createFileRegistry({ $typeName, file: inOrder(files) });
      return registry.getService(name)?.methods.map(signature) ?? [];
    }
  });
}

interface Signature {
  readonly name: string;
  readonly input: { readonly typeName: string };
  readonly output: { readonly typeName: string };
}

const signature = ({ name, input, output }: Signature) =>
  `${name} ${input.typeName} ${output.typeName}`;

const methodsOf = (name: string) => service(name).methods.map(signature);

/** Files with what they import before them. */
function inOrder<File extends { name: string; dependency: string[] }>(
  files: Map<string, File>,
): File[] {
  const ordered = new Set<File>();
  const add = (file: File | undefined) => {
    if (!file || ordered.has(file)) return;
    file.dependency.forEach((name) => add(files.get(name)));
    ordered.add(file);
  };
  files.forEach(add);
  return [...ordered];
}
