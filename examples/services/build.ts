// Builds a program unless it is built already.

import { buildDirectory, type Language, type Program, programs, type Tool } from "./programs.ts";

/**
 * What is missing to build and run the programs, for people: `{ go: "go 1.26 or newer" }`. A
 * language that isn't in it is ready to be used.
 */
export async function missingToolchains(): Promise<Partial<Record<Language, string>>> {
  const missing: Partial<Record<Language, string>> = {};
  for (const program of Object.values(programs)) {
    for (const tool of program.tools) {
      if (await isInstalled(tool)) continue;
      missing[program.language] = `${tool.command[0]} ${tool.atLeast.join(".")} or newer`;
    }
  }
  return missing;
}

/** @throws when a toolchain is missing or a build fails, saying which and why */
export async function build(program: Program): Promise<void> {
  if (program.build.length === 0) return;
  const missing = (await missingToolchains())[program.language];
  if (missing) {
    throw new Error(
      `Cannot start the ${program.language} program without ${missing}. ` +
        "Install it, or use --deno, which needs nothing else",
    );
  }
  await Deno.mkdir(buildDirectory, { recursive: true });
  // Two that start at the same time, say two test files, must not build over each other.
  using lock = await Deno.open(new URL("lock", buildDirectory), { create: true, write: true });
  await lock.lock(true);

  const stamp = new URL(`${program.language}.stamp`, buildDirectory);
  const sources = await fingerprint(program);
  if (await Deno.readTextFile(stamp).catch(() => "") === sources) return;
  console.error(`building the ${program.language} program…`);
  for (const command of program.build) await run(command, program.directory);
  await Deno.writeTextFile(stamp, sources);
}

async function isInstalled({ command: [name = "", ...args], atLeast }: Tool): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command(name, { args, stderr: "null" }).output();
    const [, major, minor] = new TextDecoder().decode(stdout).match(/(\d+)\.(\d+)/) ?? [];
    const [leastMajor, leastMinor] = atLeast;
    return Number(major) > leastMajor ||
      Number(major) === leastMajor && Number(minor) >= leastMinor;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function run(command: readonly string[], cwd: URL): Promise<void> {
  const [name = "", ...args] = command;
  const { success, stderr, stdout } = await new Deno.Command(name, { args, cwd }).output();
  if (success) return;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  throw new Error(`Cannot run ${command.join(" ")}:\n${said}`);
}

/** A digest of all that a build is made from. */
async function fingerprint(program: Program): Promise<string> {
  const parts: string[] = [JSON.stringify(program.build)];
  for (const path of await filesIn(program.directory)) {
    if (!program.sources.test(path)) continue;
    parts.push(path, await Deno.readTextFile(new URL(path, program.directory)));
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return new Uint8Array(digest).toHex();
}

async function filesIn(directory: URL, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(prefix, directory))) {
    if (entry.name === "node_modules") continue;
    const path = prefix + entry.name;
    if (entry.isDirectory) found.push(...await filesIn(directory, `${path}/`));
    else found.push(path);
  }
  return found.sort();
}
