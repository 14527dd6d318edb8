import type { MessageInitShape } from "@bufbuild/protobuf";
import { MaestroError } from "../../errors.ts";
import {
  type Health as HealthDescriptor,
  HealthCheckResponse_ServingStatus as Status,
  type HealthCheckResponseSchema,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { Methods } from "./rpc.ts";

type Response = MessageInitShape<typeof HealthCheckResponseSchema>;

/** `grpc.health.v1.Health`: all services of a server fare alike. */
export class Health {
  readonly #names: ReadonlySet<string>;
  #isServing = true;
  #changed = Promise.withResolvers<void>();

  /** @param services the full names of those that are asked for, besides `""`, the server as a whole */
  constructor(services: readonly string[]) {
    this.#names = new Set(["", ...services]);
  }

  /** Tells all who watch. */
  set(isServing: boolean): void {
    if (this.#isServing === isServing) return;
    this.#isServing = isServing;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The service. */
  methods(): Methods<typeof HealthDescriptor> {
    return {
      check: ({ service }) => {
        if (this.#names.has(service)) return this.#response(service);
        throw new MaestroError("SERVICE_NOT_FOUND", `There is no service "${service}" here`);
      },
      watch: ({ service }, { signal }) => this.#watch(service, signal),
      list: () => ({
        statuses: Object.fromEntries([...this.#names].map((name) => [name, this.#response(name)])),
      }),
    };
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<Response> {
    const gone = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      yield this.#response(service);
      await Promise.race([changed, gone]);
    }
  }

  #response(service: string): Response {
    if (!this.#names.has(service)) return { status: Status.SERVICE_UNKNOWN };
    return { status: this.#isServing ? Status.SERVING : Status.NOT_SERVING };
  }
}
