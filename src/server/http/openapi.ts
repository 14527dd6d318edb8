import { z } from "zod";
import type { Route } from "./route.ts";
import { named, status } from "./schemas.ts";

type Part = Record<string, unknown>;

/** The OpenAPI 3.1 document of the routes: its schemas are JSON Schema, which zod makes of those that check. */
export function openApiDocument(routes: readonly Route[], version: string): Part {
  const paths: Record<string, Part> = {};
  for (const route of routes) {
    const path = `/api/v1${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const { schemas } = z.toJSONSchema(named, { uri: refOf, io: "input" });
  return {
    openapi: "3.1.0",
    info: {
      title: "Maestro",
      version,
      description:
        "Starts runs of workflows, and sees and acts on them. Errors are google.rpc.Status.",
    },
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([id, schema]) => [id, withoutIds(schema)]),
      ),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }, {}],
  };
}

function operationOf(route: Route): Part {
  const { operation, summary, body, answer, does } = route;
  const content = does.kind === "stream" ? "text/event-stream" : "application/json";
  return {
    operationId: operation,
    summary,
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(body !== null && {
      requestBody: {
        required: !accepts(body, {}),
        content: { "application/json": { schema: schemaOf(body) } },
      },
    }),
    responses: {
      "200": { description: summary, content: { [content]: { schema: schemaOf(answer) } } },
      default: {
        description: "Why it can't be done",
        content: { "application/json": { schema: schemaOf(status) } },
      },
    },
  };
}

function accepts(schema: z.ZodType, value: unknown): boolean {
  return schema.safeParse(value).success;
}

function pathParameters(path: string): Part[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: z.ZodType): Part[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: "output" });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

function schemaOf(schema: z.ZodType): Part {
  const id = named.get(schema)?.id;
  return id === undefined ? z.toJSONSchema(schema) : { $ref: refOf(id) };
}

function refOf(id: string): string {
  return `#/components/schemas/${id}`;
}

function withoutIds({ $id: _, $schema: __, ...schema }: Part): Part {
  return schema;
}
