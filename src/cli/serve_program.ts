import { type Command, Option } from "@commander-js/extra-typings";
import { collect, example, logFormatOption, secretOption, storeOption } from "./common_options.ts";
import { LOG_LEVELS } from "../telemetry/levels.ts";
import type { Io } from "./io.ts";

/** `maestro serve`: its options and its help. */
export function addServe(program: Command, io: Io, done: (code: number) => void): void {
  program.command("serve")
    .summary("run workflows as a service: an API, and eyes on everything")
    .description(
      "Runs the workflows of a folder as a service, until SIGTERM or Ctrl-C: then nothing new is started, and what is under way is left as it stands, to be gone on with at the next start.\n\n" +
        "Without tokens, whoever reaches the server may do everything: so it listens to this machine only, unless it has TLS and tokens, or --insecure is said.",
    )
    .requiredOption(
      "--workflows <folder>",
      "the folder of workflows; they are read again when they change",
    )
    .option("--http <host:port>", "where the HTTP API and the page are", "127.0.0.1:8080")
    .option(
      "--grpc <host:port>",
      "where the gRPC API is, with reflection and health: 127.0.0.1:7070 (default: nowhere)",
    )
    .option(
      "--max-runs <number>",
      "how many runs are under way at most; further ones wait to be started",
      "1000",
    )
    .option(
      "--max-streams <number>",
      "how many streams of events are open at most, over HTTP and gRPC; gRPC's health and reflection are counted apart",
      "1000",
    )
    .option(
      "--tokens <file>",
      "who may ask: a line each with a name, a role (viewer, operator, admin) and the SHA-256 of the token in hex",
    )
    .option(
      "--tls-cert <file>",
      "the server's certificate, with those between it and its root, in PEM",
    )
    .option("--tls-key <file>", "the certificate's key, in PEM")
    .option(
      "--allow-host <name>",
      "a name that browsers reach the server by, besides localhost and addresses (repeatable)",
      collect,
    )
    .option("--on-attention <url>", "a webhook that is called when a run waits for an operator")
    .option("--on-attention-secret <file>", "what the webhook's calls are signed with")
    .option("--insecure", "listen to other machines also without TLS and tokens")
    .addOption(storeOption())
    .addOption(secretOption())
    .addOption(
      new Option("--log-level <level>", "log from this level on; payloads only with trace")
        .choices(LOG_LEVELS).default("info" as const),
    )
    .addOption(logFormatOption())
    .addOption(new Option("--log-file <path>", "log into this file, instead of standard error"))
    .addHelpText(
      "after",
      example("maestro serve --workflows examples") +
        "\n\nExit codes:\n  0 stopped; 2 wrong usage; 4 the store failed; 130 second Ctrl-C",
    )
    .action(async (flags) => {
      const { serveCommand } = await import("./serve_command.ts");
      done(await serveCommand(flags, io));
    });
}
