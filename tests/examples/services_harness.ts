/** Runs the same test over the example services in every language. */

import { Ledger } from "../../examples/services/deno/gen/ledger/v1/ledger_pb.ts";
import { programs } from "../../examples/services/programs.ts";
import {
  type Language,
  missingToolchains,
  type Services,
  startServices,
} from "../../examples/services/start.ts";
import { type Case, cases } from "./services_cases.ts";
import { ServicesClient } from "./services_client.ts";

export interface Program {
  readonly language: Language;
  readonly services: Services;
  readonly client: ServicesClient;
}

const missing = await missingToolchains();
for (const [language, tool] of Object.entries(missing)) {
  console.warn(`SKIPPED: the tests of the ${language} services need ${tool}`);
}

/** One test for each program that hosts a service, whichever that is. */
export function testHosts(
  service: string,
  name: string,
  test: (program: Program) => Promise<void>,
): void {
  testPrograms(name, test, ({ services }) => services.includes(service));
}

/** One test for each program, which is started for it, with a directory to keep its state in. */
export function testPrograms(
  name: string,
  test: (program: Program) => Promise<void>,
  fits: (program: typeof programs[Language]) => boolean = () => true,
): void {
  for (const { language } of Object.values(programs).filter(fits)) {
    Deno.test({
      name: `${language} services: ${name}`,
      ignore: language in missing,
      sanitizeOps: true,
      sanitizeResources: true,
      async fn() {
        const directory = await Deno.makeTempDir();
        const services = await startServices({ languages: [language], directory });
        const client = new ServicesClient(services.programs[language] ?? "");
        try {
          await test({ language, services, client });
        } finally {
          client.close();
          await services.stop();
          await Deno.remove(directory, { recursive: true });
        }
      },
    });
  }
}

/** The same for each action that a program has, from an empty state. */
export function testActions(
  name: string,
  test: (action: Case, program: Program) => Promise<void>,
): void {
  testPrograms(name, async (program) => {
    const hosted = programs[program.language].services;
    for (const subject of cases.filter(({ service }) => hosted.includes(service))) {
      await program.client.call(Ledger.method.reset, {});
      await subject.before?.make(program.client);
      try {
        await test(subject, program);
      } catch (error) {
        throw new Error(`with ${subject.action.method}`, { cause: error });
      }
    }
  });
}
