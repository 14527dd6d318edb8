import type { TracedCall } from "../engine/doors.ts";
import type { CallTarget, Workflow } from "../workflow/model.ts";

/** What only a call that leaves can tell of its method. */
export interface CallName {
  /** Its whole name, `acme.v1.Payments/Charge`. */
  readonly method: string;
  /** Where its service is reached, without secrets; `""`: unknown yet. */
  readonly endpoint: string;
}

/** The methods of workflows by their whole names, as calls that left have told them. */
export class CallNames {
  readonly #known = new WeakMap<Workflow, Map<string, CallName>>();

  /** Keeps what a call tells. */
  learn({ workflow, service, written, method, endpoint }: TracedCall): void {
    let names = this.#known.get(workflow);
    if (names === undefined) this.#known.set(workflow, names = new Map());
    const key = `${service}/${written}`;
    const known = names.get(key);
    if (known?.method !== method || known.endpoint !== endpoint) {
      names.set(key, { method, endpoint });
    }
  }

  /** What is known of a method. */
  of(workflow: Workflow, { service, method }: CallTarget): CallName {
    return this.#known.get(workflow)?.get(`${service}/${method}`) ?? { method, endpoint: "" };
  }
}

/** `host:port` as OpenTelemetry's attributes have it; of other addresses all of it, without a port. */
export function serverAttributes(endpoint: string): Record<string, string | number> {
  if (endpoint === "") return {};
  const [, host = "", port = ""] =
    /^(?:dns:\/*(?:.*\/)?)?(\[[^\]]+\]|[^:/,]+):(\d+)$/.exec(endpoint) ??
      [];
  if (host === "") return { "server.address": endpoint };
  return { "server.address": host.replaceAll(/[[\]]/g, ""), "server.port": Number(port) };
}
