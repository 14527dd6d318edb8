/** The generated messages are those of proto/, as it is now. */
import assert from "node:assert/strict";
import { type DescFile, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { file_maestro_v1_runs as runs } from "../../src/gen/maestro/v1/runs_pb.ts";
import { file_maestro_v1_services as services } from "../../src/gen/maestro/v1/services_pb.ts";
import { file_maestro_v1_workflows as workflows } from "../../src/gen/maestro/v1/workflows_pb.ts";
import { protoSchema } from "../../src/grpc/schema_proto.ts";
import { fromFileUrl } from "../support/paths.ts";

const PROTO = fromFileUrl(new URL("../../proto", import.meta.url));

/** What a file declares, without what can be told from the rest. */
function declared({ proto }: DescFile): unknown {
  const text = JSON.stringify(
    toJson(FileDescriptorProtoSchema, proto),
    (key, value) => key === "jsonName" ? undefined : value,
  );
  return JSON.parse(text);
}

for (const generated of [runs, services, workflows]) {
  const { name } = generated.proto;
  Deno.test(`what is generated from ${name} is what it says`, async () => {
    const { schema } = await protoSchema([`${PROTO}/${name}`], [PROTO]);
    const written = schema.registry.getFile(name);
    assert.ok(written !== undefined);
    assert.deepEqual(declared(generated), declared(written));
  });
}
