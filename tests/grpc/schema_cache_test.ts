import assert from "node:assert/strict";
import { type LoadedSchema, SchemaCache } from "../../src/grpc/schema_cache.ts";
import { buildSchema } from "../../src/grpc/schema.ts";
import { tempFiles } from "../support/temp_files.ts";

/** Counts how often a schema is loaded. */
function counted(files: readonly string[] | null) {
  const loader = {
    count: 0,
    load: (): Promise<LoadedSchema> => {
      loader.count++;
      return Promise.resolve({ schema: buildSchema([], "test"), files });
    },
  };
  return loader;
}

Deno.test("SchemaCache asks a server once a minute, and once for all who ask together", async () => {
  let now = 0;
  const cache = new SchemaCache(() => now);
  const server = counted(null);
  const [one, two] = await Promise.all([
    cache.get("a", server.load),
    cache.get("a", server.load),
  ]);
  assert.equal(one, two);
  now = 59_999;
  assert.equal(await cache.get("a", server.load), one);
  assert.equal(server.count, 1);
  now = 60_000;
  const [later, together] = await Promise.all([
    cache.get("a", server.load),
    cache.get("a", server.load),
  ]);
  assert.notEqual(later, one);
  assert.equal(later, together);
  assert.equal(server.count, 2);
  await cache.get("b", server.load);
  assert.equal(server.count, 3);
});

Deno.test("SchemaCache does not keep a failure", async () => {
  const cache = new SchemaCache();
  await assert.rejects(cache.get("a", () => Promise.reject(new Error("down"))), {
    message: "down",
  });
  const server = counted(null);
  await cache.get("a", server.load);
  assert.equal(server.count, 1);
});

Deno.test("SchemaCache reads files again when they have changed, looking once a second", async () => {
  await using files = await tempFiles({ "a.proto": "1" });
  let now = 0;
  const cache = new SchemaCache(() => now);
  const disk = counted([files.path("a.proto")]);
  await cache.get("a", disk.load);
  now = 100_000;
  await cache.get("a", disk.load);
  assert.equal(disk.count, 1);
  await Deno.writeTextFile(files.path("a.proto"), "22");
  now += 999;
  await cache.get("a", disk.load);
  assert.equal(disk.count, 1);
  now += 1;
  await cache.get("a", disk.load);
  assert.equal(disk.count, 2);
});

Deno.test("SchemaCache gives one schema to all who ask while files are looked at", async () => {
  await using files = await tempFiles({ "a.proto": "1" });
  let now = 0;
  const cache = new SchemaCache(() => now);
  const disk = counted([files.path("a.proto")]);
  const before = await cache.get("a", disk.load);
  await Deno.writeTextFile(files.path("a.proto"), "22");
  now = 1_000;
  const [one, two] = await Promise.all([cache.get("a", disk.load), cache.get("a", disk.load)]);
  assert(one !== before);
  assert(two === one);
  assert.equal(disk.count, 2);
});

Deno.test("SchemaCache believes for ever what came from nowhere that could change", async () => {
  let now = 0;
  const cache = new SchemaCache(() => now);
  const kept = counted([]);
  const schema = await cache.get("a", kept.load);
  now = 1e12;
  assert(await cache.get("a", kept.load) === schema);
  assert.equal(kept.count, 1);
});
