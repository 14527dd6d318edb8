import type { Workflow } from "../workflow/model.ts";
import { readSecret } from "./attempts.ts";
import type { Clock, KeptText, Method, Secrets, Target, TypeLookup } from "./doors.ts";
import type { EngineOptions } from "./engine_options.ts";
import { schemasOf } from "./kept_texts.ts";
import { type Breaker, type ServiceLoad, type ServiceParts, Services } from "./services.ts";
import { targetsOf } from "./targets.ts";
import { WorkflowMethods } from "./workflow_methods.ts";

/** What one run reaches. */
export interface Reach {
  readonly targets: ReadonlyMap<string, Target>;
  readonly methods: Map<string, Method>;
  /** What is shared of each service, by name. */
  readonly services: ReadonlyMap<string, ServiceParts>;
  /** The schemas in which its methods were found, by service. */
  readonly schemas: ReadonlyMap<string, KeptText>;
}

/** What the runs of one engine reach, and what they share of it. */
export class Surroundings {
  readonly secrets: Secrets;
  readonly #env: (name: string) => string | undefined;
  readonly #services: Services;
  readonly #methods: WorkflowMethods;

  constructor({ caller, inspect, secrets, env }: EngineOptions, clock: Clock) {
    this.secrets = secrets ?? { read: () => Promise.resolve(undefined) };
    this.#env = env ?? (() => undefined);
    this.#services = new Services({ caller, clock, inspect });
    this.#methods = new WorkflowMethods(caller, clock);
  }

  /** The environment variables that a workflow names, as they are now. */
  envOf({ env }: Workflow): Record<string, string> {
    return Object.fromEntries(env.flatMap((name) => {
      const value = this.#env(name);
      return value === undefined ? [] : [[name, value]];
    }));
  }

  /**
   * What a run of a workflow reaches.
   *
   * @param kept the schemas that it goes by, where it has begun
   * @throws {MaestroError} `INPUT_INVALID` (a secret is missing), `EXPRESSION_ERROR`, `WORKFLOW_INVALID`
   */
  async of(
    workflow: Workflow,
    env: Readonly<Record<string, string>>,
    endpoints: Readonly<Record<string, string>>,
    kept?: ReadonlyMap<string, KeptText>,
  ): Promise<Reach> {
    const secrets: Record<string, string> = {};
    for (const name of workflow.secrets) secrets[name] = await readSecret(this.secrets, name);
    const targets = targetsOf(workflow, { env, secrets, rotating: this.secrets, endpoints });
    const methods = await this.#methods.of(workflow, targets, kept);
    const services = new Map(
      [...targets].map(([name, target]) => [name, this.#services.of(target)]),
    );
    return { targets, methods, services, schemas: schemasOf(methods) };
  }

  /** Every breaker there is by now. */
  breakers(): readonly Breaker[] {
    return this.#services.breakers();
  }

  /** What every service has to do now. */
  serviceLoads(): readonly ServiceLoad[] {
    return this.#services.loads();
  }

  /** Stops breakers and health watches. */
  close(): void {
    this.#services.close();
  }
}

/** The message types of everything that a run reaches. */
export function typesOf({ methods }: Reach): TypeLookup {
  return (name) => {
    for (const method of methods.values()) {
      const type = method.types(name);
      if (type !== undefined) return type;
    }
    return undefined;
  };
}
