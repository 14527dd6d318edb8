/**
 * The command line: reads the arguments, runs a command, and ends the process with its exit code.
 *
 * @module
 */
import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { MaestroError } from "../errors.ts";
import { EXIT, exitCodeOfError } from "./exit_code.ts";
import { type Io, printJson, processIo } from "./io.ts";
import { LocatedError } from "./located.ts";
import { buildProgram } from "./program.ts";
import { isAnswered, usageError } from "./usage.ts";

/** Runs the command line, and ends the process. */
export async function main(args: readonly string[]): Promise<never> {
  const io = processIo();
  const fail = (thrown: unknown) => report(thrown, args, io).then((code) => Deno.exit(code));
  const crash = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    fail("reason" in event ? event.reason : event.error);
  };
  globalThis.addEventListener("error", crash);
  globalThis.addEventListener("unhandledrejection", crash);
  return await perform(args, io).then((code) => Deno.exit(code), fail);
}

async function perform(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.completed;
  const program = buildProgram(io, (given) => code = given);
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => {}, // said once, and in our words, by whoever catches the error
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.stdout.width(), 100),
    });
  }
  await program.parseAsync([...args], { from: "user" });
  const failure = io.stdout.failure();
  if (failure === null) return code;
  io.stderr.write(`error: Cannot write to standard output: ${failure}\n`);
  return code === EXIT.completed ? EXIT.failed : code;
}

function everyCommand(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** Says what went wrong. @returns the exit code */
async function report(thrown: unknown, args: readonly string[], io: Io): Promise<number> {
  if (thrown instanceof CommanderError) {
    if (isAnswered(thrown)) return EXIT.completed;
    return await report(usageError(thrown, commandOf(args)), args, io);
  }
  const [{ problemsOf, problemsJson, problemText }, { paintWith }, { defectText }] = await Promise
    .all([
      import("./problem_text.ts"),
      import("./palette.ts"),
      import("./defect.ts"),
    ]);
  const error = MaestroError.from(thrown);
  const paint = paintWith(io.stderr.colour);
  if (error.code === "INTERNAL") {
    io.stderr.write(defectText(thrown, args, paint));
    return EXIT.failed;
  }
  const problems = problemsOf(error);
  const json = wantsJson(args, io);
  if (json) printJson(io, problemsJson(problems));
  if (!json || !args.includes("--quiet")) {
    const texts = error instanceof LocatedError ? error.texts : new Map();
    io.stderr.write(problemText(problems, texts, paint));
  }
  return exitCodeOfError(error.code);
}

/** Whether programs read the result, also where the arguments could not be understood. */
function wantsJson(args: readonly string[], { stdout }: Io): boolean {
  const given = args.flatMap((arg, at) =>
    arg === "--output" ? args[at + 1] ?? "" : arg.startsWith("--output=") ? arg.slice(9) : []
  );
  const form = given.findLast((one) => ["pretty", "json", "events"].includes(one));
  if (form !== undefined) return form !== "pretty";
  const command = commandOf(args) ?? "";
  return ["run", "execute", "runs resume"].includes(command) && !stdout.isTerminal &&
    given.length === 0;
}

/** The command that was typed, as far as there is such a one. */
function commandOf(args: readonly string[]): string | null {
  const [first = "", second = ""] = args;
  if (first === "runs") return RUNS.includes(second) ? `runs ${second}` : "runs";
  return ["run", "execute", "validate", "schema", "serve"].includes(first) ? first : null;
}

const RUNS = ["list", "show", "events", "resume", "cancel", "signal", "resolve", "prune"];
