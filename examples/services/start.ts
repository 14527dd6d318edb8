// Starts the example services.
//
//   deno run -A examples/services/start.ts           the Python, Go and Node programs
//   deno run -A examples/services/start.ts --deno    one Deno program in their place
//   … --data DIR                                     keep what the services know in DIR
//   … --tls-cert FILE --tls-key FILE                 speak TLS
//   … --tls-client-ca FILE                           and ask clients for a certificate

import { parseArgs } from "node:util";
import { build } from "./build.ts";
import { type Language, polyglot, programs } from "./programs.ts";
import { lastingPort } from "./lasting_port.ts";
import { RunningProgram, type ServerTls } from "./running_program.ts";

export { missingToolchains } from "./build.ts";
export type { Language } from "./programs.ts";

export interface StartOptions {
  /**
   * Which programs. Where two host the same service, the later one gets its calls.
   * @default {["python", "go", "node"]}
   */
  readonly languages?: readonly Language[];
  /**
   * Where they listen: `any` free ports; `lasting` ones, which nobody else is given while a program
   * is down; or the `documented` ones, which the example workflows call.
   * @default {"any"}
   */
  readonly ports?: "any" | "lasting" | "documented";
  /**
   * A directory to keep state in, one below it for each program. Left out: state is in memory, and
   * gone with the program.
   */
  readonly directory?: string;
  /** Files to speak TLS with. Left out: plain text. */
  readonly tls?: ServerTls;
  /** Environment variables of the programs, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Services {
  /** `host:port` by the name that a workflow has for a service: `accounts`, `payments`… */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `host:port` by program. */
  readonly programs: Readonly<Partial<Record<Language, string>>>;
  /** Ends a program at once, as `kill -9` does. */
  kill(language: Language): Promise<void>;
  /** Starts a program again where it was, after stopping it if it still runs. */
  restart(language: Language): Promise<void>;
  /** Stops all that was started. */
  stop(): Promise<void>;
}

/**
 * Builds what isn't built and starts it. Resolves when every program listens.
 *
 * @throws when a toolchain is missing, a build fails or a program doesn't start; nothing is left
 * running then
 */
export async function startServices(options: StartOptions = {}): Promise<Services> {
  const { languages = polyglot, ports = "any", directory, tls, env } = options;
  const running = new Map<Language, RunningProgram>();
  const portsOf = new Map<Language, readonly number[]>();
  const endpoints: Record<string, string> = {};
  const endpointOf: Partial<Record<Language, string>> = {};

  async function start(language: Language): Promise<void> {
    const program = await RunningProgram.start(programs[language], {
      ports: portsOf.get(language) ?? firstPorts(language, ports),
      directory: directory === undefined ? undefined : `${directory}/${language}`,
      tls,
      env,
    });
    running.set(language, program);
    portsOf.set(language, program.ports);
  }

  async function stop(): Promise<void> {
    await Promise.all([...running.values()].map((program) => program.stop()));
    running.clear();
  }

  try {
    for (const language of languages) await build(programs[language]);
    for (const language of languages) {
      await start(language);
      const endpoint = `127.0.0.1:${portsOf.get(language)?.[0]}`;
      endpointOf[language] = endpoint;
      for (const service of programs[language].services) endpoints[service] = endpoint;
    }
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    endpoints,
    programs: endpointOf,
    async kill(language) {
      await running.get(language)?.kill();
      running.delete(language);
    },
    async restart(language) {
      await running.get(language)?.stop();
      await start(language);
    },
    stop,
  };
}

function firstPorts(language: Language, ports: StartOptions["ports"]): readonly number[] {
  if (ports === "documented") return programs[language].ports;
  return [ports === "lasting" ? lastingPort() : 0];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      deno: { type: "boolean" },
      data: { type: "string" },
      "tls-cert": { type: "string" },
      "tls-key": { type: "string" },
      "tls-client-ca": { type: "string" },
    },
  });
  const tls = tlsOf(values);
  const languages: readonly Language[] = values.deno ? ["deno"] : polyglot;
  const services = await startServices({
    languages,
    ports: "documented",
    ...(values.data === undefined ? {} : { directory: values.data }),
    ...(tls === undefined ? {} : { tls }),
  });
  for (const language of languages) {
    const { ports, services: hosted } = programs[language];
    console.log(
      `${language.padEnd(7)} 127.0.0.1:${ports.join(",").padEnd(18)} ${hosted.join(", ")}`,
    );
  }
  console.log("ready; Ctrl-C stops them");

  const stop = async () => {
    await services.stop();
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
}

function tlsOf(values: Record<string, string | boolean | undefined>): ServerTls | undefined {
  const [cert, key, clientCa] = ["tls-cert", "tls-key", "tls-client-ca"]
    .map((name) => typeof values[name] === "string" ? values[name] : undefined);
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa };
  if ((cert ?? key ?? clientCa) === undefined) return undefined;
  throw new Error("TLS needs both --tls-cert and --tls-key");
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
