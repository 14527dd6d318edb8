import { evaluateTemplate, templateRefs } from "../workflow/expression.ts";
import type { Service } from "../workflow/model.ts";
import { toText } from "../workflow/value.ts";
import { readSecret, secretsIn } from "./attempts.ts";
import type { Secrets, Target } from "./doors.ts";

/** What a service's own metadata is made from, outside of any run. */
export interface MetadataSources {
  readonly env: Readonly<Record<string, string>>;
  /** Where secrets are read from whenever they are needed: they rotate. */
  readonly rotating: Secrets;
}

/** The part of a service's metadata that does not depend on a run, for questions about the service itself. */
export function ownMetadata(
  { metadata }: Service,
  { env, rotating }: MetadataSources,
): Pick<Target, "metadata"> {
  const own = Object.fromEntries(
    Object.entries(metadata).filter(([, written]) =>
      templateRefs(written).every(({ root }) => root === "env" || root === "secrets")
    ),
  );
  if (Object.keys(own).length === 0) return {};
  return {
    metadata: async () => {
      const read = secretsIn(own).map(async (name) =>
        [name, await readSecret(rotating, name)] as const
      );
      const secrets = Object.fromEntries(await Promise.all(read));
      const filled = Object.entries(own).map(([key, written]) =>
        [key, toText(evaluateTemplate(written, { env, secrets }))] as const
      );
      return Object.fromEntries(filled);
    },
  };
}
