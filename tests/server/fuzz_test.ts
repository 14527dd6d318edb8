import assert from "node:assert/strict";
import { xorshift } from "../support/random.ts";
import { tempFiles } from "../support/temp_files.ts";
import { serve } from "./serving.ts";
import { APPROVAL } from "./workflows.ts";

/** How many requests are made. */
const REQUESTS = 1_500;

// deno-lint-ignore no-explicit-any -- a JSON Schema
type Schema = any;

Deno.test("no request that the OpenAPI document lets one think of is answered with 5xx", async () => {
  await using files = await tempFiles({ "approval.yaml": APPROVAL });
  await using server = await serve({ workflows: files.directory });
  const { body: document } = await server.ask("GET", "/openapi.json");
  const operations = Object.entries(document.paths as Record<string, Record<string, Schema>>)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
    );
  assert.ok(operations.length >= 16);
  await server.ask("POST", "/runs", { workflow: "approval", run_id: "r1" });

  const random = xorshift(20_261_126);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const words = [
    "r1",
    "approval",
    "",
    "é\u0000\ud83d\ude00",
    "a/b",
    "1",
    "-1",
    "completed",
    "1e999",
    "x".repeat(300),
    "2026-01-01T00:00:00Z",
    "0.0",
    "../..",
    "%",
    "__proto__",
    "null",
    "decision",
  ];
  const nonsense = [
    null,
    true,
    -1,
    1e308,
    0.5,
    "",
    "x",
    [],
    [[]],
    {},
    { a: [null] },
    { "__proto__": 1 },
    { $int: "1" },
    { $message: "x" },
  ];

  const valueOf = (schema: Schema, depth = 0): unknown => {
    if (random() < 0.15 || depth > 4) return pick(nonsense);
    if (schema.$ref) {
      const name = schema.$ref.replace("#/components/schemas/", "");
      return valueOf(document.components.schemas[name], depth);
    }
    if (schema.anyOf) return valueOf(pick(schema.anyOf), depth);
    if (schema.enum) return pick(schema.enum);
    switch (schema.type) {
      case "object": {
        const made: Record<string, unknown> = {};
        for (const [name, part] of Object.entries(schema.properties ?? {})) {
          if (random() < 0.8) made[name] = valueOf(part, depth + 1);
        }
        if (random() < 0.1) {
          const value = pick(nonsense);
          Object.defineProperty(made, pick(words), { value, enumerable: true });
        }
        return made;
      }
      case "array":
        return [1, 2].map(() => valueOf(schema.items, depth + 1));
      case "integer":
      case "number":
        return pick([0, 1, 50, -1, 1_001, 2 ** 53]);
      case "string":
        return pick(words);
      default:
        return pick(nonsense);
    }
  };

  const seen = new Set<number>();
  const asked = async () => {
    const { path, method, operation } = pick(operations);
    const where = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(pick(words)));
    const query = new URLSearchParams();
    for (const { name, in: place } of operation.parameters) {
      if (place === "query" && random() < 0.4) query.append(name, pick(words));
    }
    if (random() < 0.05) query.append(pick(words), pick(words));
    const schema = operation.requestBody?.content["application/json"].schema;
    let body = schema === undefined ? undefined : JSON.stringify(valueOf(schema));
    if (body !== undefined && random() < 0.1) {
      body = body.slice(0, Math.floor(random() * body.length));
    }
    const response = await fetch(`${server.url}${where}?${query}`, {
      method: method.toUpperCase(),
      headers: { "content-type": "application/json", "last-event-id": pick(["", "1", "x", "0.0"]) },
      ...(body !== undefined && { body }),
    });
    seen.add(response.status);
    const isStream = response.headers.get("content-type") === "text/event-stream";
    const text = isStream ? "" : await response.text();
    if (isStream) await response.body?.cancel();
    const what = `${method} ${where}?${query} ${body}: ${response.status} ${text}`;
    assert.ok(response.status < 500, what);
    if (response.status !== 200) assert.ok(JSON.parse(text).code > 0, what);
  };
  for (let done = 0; done < REQUESTS; done += 10) {
    await Promise.all(Array.from({ length: 10 }, asked));
  }
  for (const status of [200, 400, 404]) assert.ok(seen.has(status), `none was ${status}`);
  assert.equal((await server.ask("GET", "/readyz")).status, 200);
  assert.deepEqual(server.log.filter(({ message }) => message === "request failed"), []);
});
