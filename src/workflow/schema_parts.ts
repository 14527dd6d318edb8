/**
 * What the language's schema is made of: zod for structure and types, and one kind of leaf whose
 * refusals say in words what is wanted.
 *
 * @module
 */
import { z } from "zod";

/** What a check has to say beyond zod's own codes; `issues.ts` makes a problem of it. */
export type Finding =
  /** `"timeout" must be {want}, not 30{hint}` */
  | { readonly kind: "value"; readonly want: string; readonly hint: string }
  /** `Cannot use 0 as "attempts": {why} must be at least {least}` */
  | { readonly kind: "low"; readonly why: string; readonly least: number }
  /** Text was wanted and another scalar is there. */
  | { readonly kind: "unquoted"; readonly want: string }
  /** A whole message, about a key if not about its value. */
  | {
    readonly kind: "told";
    readonly code: string;
    readonly message: string;
    readonly at?: "value";
  };

/** What a JSON Schema says of a leaf. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** Adds a finding to what is being checked. */
export function find(
  context: z.core.$RefinementCtx,
  finding: Finding,
  path: readonly PropertyKey[] = [],
): void {
  context.issues.push({
    code: "custom",
    input: undefined,
    params: { finding },
    path: [...path],
    continue: true,
  });
}

/** A leaf's answer to a value that it does not take. */
export class Refused {
  constructor(readonly finding: Finding) {}
}

/** Refuses a value, with an afterthought such as `: write "30s"`. */
export function refuse(want: string, hint = ""): Refused {
  return new Refused({ kind: "value", want, hint });
}

/** A value that is checked and made by one function. */
export function leaf<T>(
  json: JsonSchema,
  read: (value: unknown) => T | Refused,
): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const made = read(value);
    if (!(made instanceof Refused)) return made;
    find(context, made.finding);
    return z.NEVER;
  }).meta(json);
}

/** Any map, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys that are the author's own. */
export function isOwnKey(key: string): boolean {
  return key.startsWith("x-");
}

/** A map without what is the author's own; anything else as it is. */
export function withoutOwnKeys(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isOwnKey(key)));
}

/** A map of the language: known keys only, `x-` keys left out. The error carries the known keys. */
export function shape<const S extends z.core.$ZodLooseShape>(
  keys: S,
): z.ZodPipe<z.ZodTransform, z.ZodObject<S, z.core.$strict>> {
  const known = Object.keys(keys).join(" ");
  const object = z.strictObject(keys, {
    error: ({ code }) => code === "unrecognized_keys" ? known : undefined,
  });
  return z.preprocess(
    withoutOwnKeys,
    object,
  ) as unknown as z.ZodPipe<z.ZodTransform, z.ZodObject<S, z.core.$strict>>; // zod's own type of it is wider
}

/** What YAML 1.1 took for a bool, and 1.2 doesn't. */
export function hintBool(value: unknown): string {
  const word = String(value).toLowerCase();
  if (/^(yes|on|true|1)$/.test(word)) return ": write true";
  return /^(no|off|false|0)$/.test(word) ? ": write false" : "";
}

/** One way to write something that can be written in several. */
export interface Way<T> {
  readonly fits: (value: unknown) => boolean;
  readonly schema: z.ZodType<T>;
}

/** What can be written in several ways, told apart by a look at the value. */
export function either<T>(want: string, ...ways: readonly Way<T>[]): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const way = ways.find(({ fits }) => fits(value));
    if (way === undefined) {
      find(context, { kind: "value", want, hint: want.startsWith("true") ? hintBool(value) : "" });
      return z.NEVER;
    }
    return settle(way.schema, value, context);
  }).meta({ ways: ways.map(({ schema }) => schema) });
}

/** Checks by another schema, whose issues become those of this one. */
export function settle<T>(
  schema: z.ZodType<T>,
  value: unknown,
  context: z.core.$RefinementCtx,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: undefined })));
  return z.NEVER;
}

/** A list of one kind of thing. */
export function list<T>(item: z.ZodType<T>, least = 0): z.ZodType<T[]> {
  return least > 0 ? z.array(item).min(least) : z.array(item);
}

/** One thing, or a list of them. */
export function oneOrMany<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return either<T[]>(
    "one, or a list of them",
    { fits: Array.isArray, schema: list(item) },
    { fits: (value) => !isRecord(value), schema: item.transform((one) => [one]) },
  );
}
