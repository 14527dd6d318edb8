/**
 * The example services, and what they say they did, for tests of the whole.
 *
 * @module
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Ledger,
  Operation,
  type Record,
  State,
  type Stream,
} from "../../examples/services/deno/gen/ledger/v1/ledger_pb.ts";
import {
  type Language,
  missingToolchains,
  type Services,
  type StartOptions,
  startServices,
} from "../../examples/services/start.ts";
import { ServicesClient } from "../examples/services_client.ts";

/** One piece of work, as the service that did it tells. */
export interface Entry {
  /** `DONE`, `UNDONE` or `VOID`. */
  readonly state: string;
  /** `payments.v1.Payments/Charge`. */
  readonly method: string;
  /** `ACTION`, `COMPENSATE` or `VERIFY`. */
  readonly operation: string;
  readonly actionKey: string;
  /** The service's own clock, in milliseconds, to the microsecond. */
  readonly time: number;
}

/** Running services, and a way to ask them. */
export interface ExampleServices extends AsyncDisposable {
  readonly services: Services;
  /** `--endpoint` options for these services of a workflow. */
  endpoints(names: readonly string[]): string[];
  /** What all programs together did for a run, or for all, by their own clocks, oldest first. */
  ledger(runId?: string): Promise<Entry[]>;
  /** The methods of a run's streams that are open at the services. */
  streams(runId: string): Promise<string[]>;
  /** Makes all programs forget all that they know. */
  reset(): Promise<void>;
}

const missing = await missingToolchains();

/** Whether a test has to be skipped because a language can't be built here; says so. */
export function lacksTools(test: string, languages: readonly Language[]): boolean {
  const lacking = languages.filter((language) => language in missing);
  for (const language of lacking) console.warn(`SKIPPED: "${test}" needs ${missing[language]}`);
  return lacking.length > 0;
}

/** Starts services; disposing of them stops them. */
export async function startExamples(options: StartOptions): Promise<ExampleServices> {
  const services = await startServices(options);
  return {
    services,
    endpoints: (names) =>
      names.flatMap((name) => ["--endpoint", `${name}=${services.endpoints[name]}`]),
    async ledger(runId = "") {
      const lists = await askAll(services, (client) => client.call(Ledger.method.list, { runId }));
      return lists.flatMap(({ records }) => records.map(entryOf))
        .sort((one, other) => one.time - other.time);
    },
    async streams(runId) {
      const method = Ledger.method.listStreams;
      const lists = await askAll(services, (client) => client.call(method, { runId }));
      return lists.flatMap(({ streams }) => streams.map(({ method }: Stream) => method));
    },
    async reset() {
      await askAll(services, (client) => client.call(Ledger.method.reset, {}));
    },
    [Symbol.asyncDispose]: () => services.stop(),
  };
}

/** A test with services in these languages of its own; skipped loudly where one can't be built. */
export function exampleTest(
  name: string,
  languages: readonly Language[],
  run: (examples: ExampleServices, t: Deno.TestContext) => Promise<void>,
  options: StartOptions = {},
): void {
  Deno.test({
    name,
    ignore: lacksTools(name, languages),
    async fn(t) {
      await using examples = await startExamples({ ...options, languages });
      await run(examples, t);
    },
  });
}

/** Asks every program the same. */
function askAll<Answer>(
  { programs }: Services,
  ask: (client: ServicesClient) => Promise<Answer>,
): Promise<Answer[]> {
  return Promise.all(
    Object.values(programs).map(async (endpoint) => {
      const client = new ServicesClient(endpoint);
      try {
        return await ask(client);
      } finally {
        client.close();
      }
    }),
  );
}

function entryOf({ state, method, operation, actionKey, time }: Record): Entry {
  if (time === undefined) throw new Error(`${method} has no time`);
  return {
    state: State[state],
    method,
    operation: Operation[operation],
    actionKey,
    time: timestampMs(time) + time.nanos % 1_000_000 / 1_000_000,
  };
}
