import { MaestroError } from "../errors.ts";
import { evaluateTemplate, templateRefs } from "../workflow/expression.ts";
import type { Service, Workflow } from "../workflow/model.ts";
import type { TlsRule } from "../workflow/service_rules.ts";
import { toText } from "../workflow/value.ts";
import type { Target } from "./doors.ts";
import { type MetadataSources, ownMetadata } from "./own_metadata.ts";

/** What a service's endpoint, TLS settings and own metadata are made from. */
export interface Surroundings extends MetadataSources {
  readonly secrets: Readonly<Record<string, string>>;
  /** Endpoints that win over the workflow's, by service. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/**
 * A workflow's services as one run reaches them, by name.
 *
 * @throws {MaestroError} `EXPRESSION_ERROR` where an endpoint or TLS setting can't be made
 */
export function targetsOf(
  { services }: Workflow,
  surroundings: Surroundings,
): ReadonlyMap<string, Target> {
  return new Map(
    Object.values(services).map((service) => [service.name, targetOf(service, surroundings)]),
  );
}

function targetOf(written: Service, surroundings: Surroundings): Target {
  const { env, secrets, rotating, endpoints } = surroundings;
  const fill = (text: string, key: string) => {
    try {
      return toText(evaluateTemplate(text, { env, secrets }));
    } catch (thrown) {
      const { code, message: why } = MaestroError.from(thrown);
      const message = `Cannot make the "${key}" of "${written.name}": ${why}`;
      const problem = {
        severity: "error",
        code: code.toLowerCase(),
        message,
        ...written.place,
      } as const;
      throw new MaestroError(code, message, { cause: thrown, problems: [problem] });
    }
  };
  const endpoint = endpoints[written.name] ?? fill(written.endpoint, "endpoint");
  const last = lastTargets.get(written);
  if (written.tls === null && last?.target.endpoint === endpoint && isSame(last, surroundings)) {
    return last.target;
  }
  const service = written.tls === null ? written : { ...written, tls: fillTls(written.tls, fill) };
  const target: Target = {
    service,
    endpoint,
    key: keyOf(service, endpoint),
    ...(endpoints[written.name] === undefined && withoutSecrets(written, { env, secrets })),
    ...ownMetadata(written, surroundings),
  };
  lastTargets.set(written, { target, env, rotating });
  return target;
}

/** `.secrets` may stand in an endpoint, since it never reaches a journal, a log or a page from there. */
function withoutSecrets(
  { endpoint }: Service,
  { env, secrets }: Pick<Surroundings, "env" | "secrets">,
): Pick<Target, "shown"> {
  if (!templateRefs(endpoint).some(({ root }) => root === "secrets")) return {};
  const hidden = Object.fromEntries(Object.keys(secrets).map((name) => [name, "***"]));
  try {
    return { shown: toText(evaluateTemplate(endpoint, { env, secrets: hidden })) };
  } catch {
    return { shown: "***" }; // such as an index into the secret
  }
}

/** Run after run reaches a service at the same endpoint. */
const lastTargets = new WeakMap<Service, LastTarget>();

interface LastTarget extends MetadataSources {
  readonly target: Target;
}

function isSame(last: MetadataSources, { env, rotating }: MetadataSources): boolean {
  const names = Object.keys(env);
  return last.rotating === rotating && names.length === Object.keys(last.env).length &&
    names.every((name) => last.env[name] === env[name]);
}

function fillTls(tls: TlsRule, fill: (text: string, key: string) => string): TlsRule {
  const filled = (text: string | null, key: string) => text === null ? null : fill(text, key);
  return {
    ca: filled(tls.ca, "tls.ca"),
    cert: filled(tls.cert, "tls.cert"),
    key: filled(tls.key, "tls.key"),
    serverName: filled(tls.serverName, "tls.server_name"),
  };
}

const keys = new WeakMap<Service, string>();

/** All that makes two services the same one; where they are written and what they are called does not. */
function keyOf(service: Service, endpoint: string): string {
  let settings = keys.get(service);
  if (settings === undefined) {
    const { name: _name, place: _place, endpoint: _endpoint, schema, ...rest } = service;
    settings = JSON.stringify({ ...rest, schema: { ...schema, place: null } });
    keys.set(service, settings);
  }
  return `${endpoint} ${settings}`;
}
