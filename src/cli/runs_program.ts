/**
 * The commands of `maestro runs`, their options and their help.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import {
  collect,
  example,
  existingStoreOption,
  formOption,
  insecureOption,
  logFileOption,
  logFormatOption,
  logLevelOption,
  quietOption,
  resultOption,
  retentionOption,
  secretOption,
  serverOption,
  tokenFileOption,
} from "./common_options.ts";
import type { Io } from "./io.ts";

/** `maestro runs …`: looks at the runs in a store, and acts on them. */
export function addRuns(program: Command, io: Io, done: (code: number) => void): void {
  const runs = program.command("runs")
    .summary("look at the runs in a store or at a server, go on with them, act on them")
    .description(
      "Looks at the runs in a store or, with --server, at a server; goes on with them, and acts on them.",
    )
    .helpCommand(false)
    .addHelpText("after", example("maestro runs list --since 1h"));
  addLooks(runs as unknown as Command, io, done); // its type would name every option
  addResume(runs as unknown as Command, io, done);
  addActs(runs as unknown as Command, io, done);
  addResolve(runs as unknown as Command, io, done);
  addPrune(runs as unknown as Command, io, done);
}

const RUN = "the run's id";

function addLooks(runs: Command, io: Io, done: (code: number) => void): void {
  runs.command("list")
    .summary("the runs that there are, the newest first")
    .description("Prints the runs that there are, the newest first.")
    .option("--status <status>", "only those that stand so: running, needs_attention, completed, …")
    .option("--workflow <name>", "only those of this workflow")
    .option("--since <duration>", "only those that started within this time: 30m, 12h, 7d")
    .option("--limit <number>", "at most so many", "50")
    .addOption(formOption("one object with the runs, and the store's size or the server's URL"))
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addHelpText("after", example("maestro runs list --status needs_attention --since 7d"))
    .action(async (flags) => {
      const { listCommand } = await import("./runs_list.ts");
      done(await listCommand(flags, io));
    });
  runs.command("show")
    .summary("where one run stands, and what can be done about it")
    .description(
      "Prints where one run stands: its steps, what failed or waits for an operator, and the commands that get it going again.",
    )
    .argument("<id>", RUN)
    .addOption(formOption("the whole run, as maestro run prints it"))
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addHelpText("after", example("maestro runs show order-17"))
    .action(async (id, flags) => {
      const { showCommand } = await import("./runs_show.ts");
      done(await showCommand(id, flags, io));
    });
  runs.command("events")
    .summary("what has happened in one run, a line each")
    .description(
      "Prints what has happened in one run, one event a line. A child run has its own: ID/STEP.",
    )
    .argument("<id>", RUN)
    .option("--follow", "go on with what comes, until the run has ended")
    .addOption(formOption("one object a line, with requests and answers"))
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addHelpText("after", example("maestro runs events order-17 --follow"))
    .action(async (id, flags) => {
      const { eventsCommand } = await import("./runs_events.ts");
      done(await eventsCommand(id, flags, io));
    });
}

function addResume(runs: Command, io: Io, done: (code: number) => void): void {
  runs.command("resume")
    .summary("go on with what a crash or an interrupt left open")
    .description(
      "Goes on with what a crash or an interrupt left open: with one run, or with all that nobody goes on with, until each has ended or waits for an operator. Ctrl-C cancels the one run, as in maestro run; all are left as they are, to be resumed. With --server they go on there, and are followed from here.",
    )
    .argument("[id]", `${RUN} (default: all)`)
    .addOption(secretOption())
    .addOption(resultOption())
    .addOption(quietOption())
    .addOption(retentionOption())
    .addOption(existingStoreOption())
    .addOption(serverOption().conflicts(["store", "secret", "retention"]))
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(logFileOption())
    .addHelpText(
      "after",
      example("maestro runs resume", "maestro runs resume --server http://127.0.0.1:8080") +
        "\n\nExit codes:\n  as maestro run; of several runs the worst",
    )
    .action(async (id, flags) => {
      const { resumeCommand } = await import("./runs_resume.ts");
      done(await resumeCommand(id, flags, io));
    });
}

/** What the exit codes of commands mean that act on runs. */
const ACCEPTED =
  "\n\nExit codes:\n  0 the store has it; 2 it was refused; 4 the store failed, or the server can't be reached";

const TAKES_OVER =
  "Where a live process has the run, that one does it; else it is done here, and the run goes on here until it has ended, waits for an operator, or only waits. With --server all of it is done there.";

function addActs(runs: Command, io: Io, done: (code: number) => void): void {
  runs.command("cancel")
    .summary("stop a run and roll it back")
    .description(`Stops a run and rolls it back; past its pivot that is refused.\n\n${TAKES_OVER}`)
    .argument("<id>", RUN)
    .addOption(secretOption())
    .addOption(formOption("the whole run, as it stands afterwards"))
    .addOption(quietOption())
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(logFileOption())
    .addHelpText("after", example("maestro runs cancel order-17") + ACCEPTED)
    .action(async (id, flags) => {
      const { cancelCommand } = await import("./runs_act.ts");
      done(await cancelCommand(id, flags, io));
    });
  runs.command("signal")
    .summary("hand a run the signal that it waits for, or will wait for")
    .description(`Hands a run a signal, for a step that waits for it, or will.\n\n${TAKES_OVER}`)
    .argument("<id>", RUN)
    .argument("<name>", "the signal's name")
    .option("--data <json>", "what it carries: JSON, @file, or - for standard input (default: {})")
    .option(
      "--signal-id <id>",
      "tells signals apart: a second one with the same id is none (default: a new one)",
    )
    .addOption(secretOption())
    .addOption(formOption("the whole run, as it stands afterwards"))
    .addOption(quietOption())
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(logFileOption())
    .addHelpText(
      "after",
      example(`maestro runs signal order-17 decision --data '{"verdict": "approve"}'`) + ACCEPTED,
    )
    .action(async (id, name, flags) => {
      const { signalCommand } = await import("./runs_act.ts");
      done(await signalCommand(id, name, flags, io));
    });
}

function addResolve(runs: Command, io: Io, done: (code: number) => void): void {
  runs.command("resolve")
    .summary("get a run going again that waits for an operator")
    .description(`Gets a run going again that waits for an operator.\n\n${TAKES_OVER}`)
    .argument("[id]", RUN)
    .option("--step <path>", "the step that waits, as maestro runs show has it")
    .option("--retry", "try it again")
    .option("--input <json>", "with --retry: with another request; JSON, @file, or -")
    .option("--skip", "go on without it")
    .option("--abort", "end the run, or its rollback, here")
    .option("--reason <text>", "why, for the record")
    .option("--by <who>", "who decides, for the record (default: the user's name)")
    .option("--all", "with --retry: every step that waits, instead of one run's")
    .option("--status <status>", "with --all: only of runs that stand so")
    .option("--workflow <name>", "with --all: only of runs of this workflow")
    .option(
      "--output <form>",
      "pretty; json: the whole run, as it stands afterwards; with --skip also JSON or @file: what the step came to (repeatable)",
      collect,
    )
    .addOption(secretOption())
    .addOption(quietOption())
    .addOption(existingStoreOption())
    .addOption(serverOption().conflicts(["store", "secret", "by"]))
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addOption(logLevelOption())
    .addOption(logFormatOption())
    .addOption(logFileOption())
    .addHelpText(
      "after",
      example(
        'maestro runs resolve order-17 --step ship --retry --reason "the carrier is back"',
      ) + ACCEPTED,
    )
    .action(async (id, flags) => {
      const { resolveCommand } = await import("./runs_resolve.ts");
      done(await resolveCommand(id, flags, io));
    });
}

function addPrune(runs: Command, io: Io, done: (code: number) => void): void {
  runs.command("prune")
    .summary("drop runs that ended long ago")
    .description(
      "Drops runs that ended long ago, with their child runs; never one whose root is open. At a server that takes the role admin.",
    )
    .requiredOption("--older-than <duration>", "those that ended longer ago than this: 30d")
    .addOption(formOption("how many were dropped"))
    .addOption(existingStoreOption())
    .addOption(serverOption())
    .addOption(tokenFileOption())
    .addOption(insecureOption())
    .addHelpText("after", example("maestro runs prune --older-than 30d"))
    .action(async (flags) => {
      const { pruneCommand } = await import("./runs_prune.ts");
      done(await pruneCommand(flags, io));
    });
}
