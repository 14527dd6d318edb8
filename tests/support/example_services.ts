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
} from "../../examples/services/deno/gen/ledger/v1/ledger_pb.ts";
import {
  type Language,
  missingToolchains,
  type Services,
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
export interface ExampleServices {
  readonly services: Services;
  /** `--endpoint` options for these services of a workflow. */
  endpoints(names: readonly string[]): string[];
  /** What all programs together did for a run, by their own clocks, oldest first. */
  ledger(runId: string): Promise<Entry[]>;
}

const missing = await missingToolchains();

/** A test with services in these languages of its own; skipped loudly where one can't be built. */
export function exampleTest(
  name: string,
  languages: readonly Language[],
  run: (examples: ExampleServices, t: Deno.TestContext) => Promise<void>,
): void {
  const lacking = languages.filter((language) => language in missing);
  for (const language of lacking) console.warn(`SKIPPED: "${name}" needs ${missing[language]}`);
  Deno.test({
    name,
    ignore: lacking.length > 0,
    async fn(t) {
      const services = await startServices({ languages });
      try {
        await run({
          services,
          endpoints: (names) =>
            names.flatMap((name) => ["--endpoint", `${name}=${services.endpoints[name]}`]),
          ledger: (runId) => ledgerOf(services, runId),
        }, t);
      } finally {
        await services.stop();
      }
    },
  });
}

async function ledgerOf({ programs }: Services, runId: string): Promise<Entry[]> {
  const lists = await Promise.all(
    Object.values(programs).map(async (endpoint) => {
      const client = new ServicesClient(endpoint);
      try {
        return (await client.call(Ledger.method.list, { runId })).records;
      } finally {
        client.close();
      }
    }),
  );
  return lists.flat().map(entryOf).sort((one, other) => one.time - other.time);
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
