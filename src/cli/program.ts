/**
 * The commands, their options and their help. What a command does is imported when it is asked for.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import {
  collect,
  example,
  insecureOption,
  logFileOption,
  logFormatOption,
  logLevelOption,
  quietOption,
  resultOption,
  retentionOption,
  secretOption,
  serverOption,
  storeOption,
  tokenFileOption,
} from "./common_options.ts";
import type { Io } from "./io.ts";
import { addRuns } from "./runs_program.ts";
import { addServe } from "./serve_program.ts";
import { VERSION } from "./version.ts";

/** The whole command line. `done` hears the exit code of the command that was run. */
export function buildProgram(io: Io, done: (code: number) => void): Command {
  const program = new Command("maestro")
    .description("Runs workflows of gRPC services, with retries, circuit breakers and sagas")
    .version(`maestro ${VERSION} (deno ${Deno.version.deno})`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print a command's help")
    .addHelpText("after", example("maestro validate examples/order_saga/workflow.yaml"));
  addRun(program, io, done);
  addRuns(program, io, done);
  addValidate(program, io, done);
  addSchema(program, io, done);
  addServe(program, io, done);
  return program as unknown as Command; // its type would name every option
}

function addRun(program: Command, io: Io, done: (code: number) => void): void {
  program.command("run").alias("execute")
    .summary("run one workflow now, and print its result")
    .description(
      "Runs one workflow now, here or, with --server, at a server, and prints its result.\n\n" +
        "Standard output carries the result only; progress, logs and problems go to standard error.\n\n" +
        "Ctrl-C cancels the run, which rolls back; past its pivot that is refused. A second Ctrl-C " +
        "leaves at once, and SIGTERM does not cancel: the run can be resumed; at a server it goes on.",
    )
    .argument(
      "<file>",
      "the workflow's YAML file; with --server: a workflow of the server, NAME or NAME@VERSION",
    )
    .option("--input <json>", "the run's input: JSON, @file, or - for standard input (default: {})")
    .option(
      "--set <key=value>",
      "one value of the input, over --input; dots go deeper; taken as JSON where it is JSON, else as a string (repeatable)",
      collect,
    )
    .option(
      "--endpoint <service=host:port>",
      "a service's endpoint, instead of the file's (repeatable)",
      collect,
    )
    .addOption(secretOption())
    .option(
      "--run-id <id>",
      "the run's id (default: a new UUID); one that there is, with the same workflow and input, is joined",
    )
    .option(
      "--correlation-id <id>",
      "sent to every service as x-correlation-id (default: the run's id)",
    )
    .option(
      "--timeout <duration>",
      "for the forward part of the run, instead of the file's: 30s, 5m, 1h30m",
    )
    .addOption(resultOption())
    .addOption(quietOption())
    .option(
      "--inspect",
      "instead of progress, XState's inspection protocol as JSON lines on standard error",
    )
    .addOption(storeOption())
    .addOption(
      serverOption().conflicts(["store", "secret", "endpoint", "retention", "inspect"]),
    )
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addOption(retentionOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(logFileOption())
    .addHelpText(
      "after",
      example(
        "deno run -A examples/services/start.ts --deno   # in another terminal",
        "maestro run examples/order_saga/workflow.yaml --input @examples/order_saga/input.json",
        "maestro serve --workflows examples              # or at a server, in another terminal",
        "maestro run order_saga --server http://127.0.0.1:8080 --input @examples/order_saga/input.json",
      ) +
        "\n\nExit codes:\n" +
        "  0 completed; 1 failed, undone, cancelled or timed out; 2 wrong usage, workflow or input:\n" +
        "  nothing was run; 3 needs attention or is incomplete; 4 the store failed, or\n" +
        "  the server can't be reached; 130 second Ctrl-C; 143 SIGTERM",
    )
    .action(async (file, flags) => {
      const { runCommand } = await import("./run_command.ts");
      done(await runCommand(file, flags, io));
    });
}

function addValidate(program: Command, io: Io, done: (code: number) => void): void {
  program.command("validate")
    .summary("find every problem of workflows")
    .description("Prints every problem of workflows as file:line:column, to standard error.")
    .argument("<file...>", "the workflows' YAML files")
    .option("--strict", "warnings fail too")
    .option("--online", "also check against the live services")
    .option(
      "--explain",
      "show, for each step that could fail, what takes the failure, what would be undone in which order, and what would stay done; on standard output",
    )
    .addOption(
      new Option(
        "--output <form>",
        "json: one object with the problems (at most 1,000), on standard output; with --explain also what would be undone",
      )
        .choices(["pretty", "json"] as const).default("pretty" as const),
    )
    .addHelpText(
      "after",
      example(
        "maestro validate --strict examples/order_saga/workflow.yaml",
        "maestro validate --explain examples/order_saga/workflow.yaml",
      ) +
        "\n\nExit codes:\n  0 no errors; 2 errors, or warnings with --strict",
    )
    .action(async (files, flags) => {
      const { validateCommand } = await import("./validate_command.ts");
      done(await validateCommand(files, flags, io));
    });
}

function addSchema(program: Command, io: Io, done: (code: number) => void): void {
  program.command("schema")
    .summary("print the JSON Schema of the language, for editors")
    .description(
      "Prints the JSON Schema of the workflow language, by which editors complete and check.",
    )
    .addHelpText("after", example("maestro schema > workflow.schema.json"))
    .action(async () => {
      const { schemaCommand } = await import("./schema_command.ts");
      done(schemaCommand(io));
    });
}
