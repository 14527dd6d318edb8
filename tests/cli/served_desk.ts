/** A server over a desk's workflows, and the program's ways to its runs. */
import assert from "node:assert/strict";
import { serve, type Serving } from "../server/serving.ts";
import { tempFiles } from "../support/temp_files.ts";
import type { Desk } from "./desk.ts";
import { command, maestro } from "./program.ts";

const TOKENS = { viewer: "look-look-look", operator: "act-act-act-act", admin: "rule-rule-rule" };

/** Whose token is sent. */
type Who = "look" | "act" | "rule";

/** A server over the desk's folder and a store, and the program's ways to both. */
export async function begin(desk: Desk) {
  const files = await tempFiles({
    tokens: (await Promise.all(
      Object.entries(TOKENS).map(async ([role, token]) => `${role} ${role} ${await digest(token)}`),
    )).join("\n"),
    look: `${TOKENS.viewer}\n`,
    act: `${TOKENS.operator}\n`,
    rule: `${TOKENS.admin}\n`,
  });
  const store = `sqlite:${files.path("runs.db")}`;
  const start = (...args: string[]) =>
    serve({
      workflows: desk.folder,
      store,
      args: ["--tokens", files.path("tokens"), ...args],
      token: TOKENS.operator,
    });
  let server = await start();
  const { url } = server;
  const cwd = files.directory;
  const flags = (who: Who) => ["--server", url, "--token-file", files.path(who)];
  return {
    get server(): Serving {
      return server;
    },
    /** Asks the server. */
    remote: (args: readonly string[], who: Who = "act") =>
      maestro([...args, ...flags(who)], { cwd }),
    /** Looks into the store itself. */
    local: (args: readonly string[]) => maestro([...args, "--store", store], { cwd }),
    spawn: (args: readonly string[], who: Who = "act") =>
      command([...args, ...flags(who)], { cwd }).spawn(),
    spawnLocal: (args: readonly string[]) => command([...args, "--store", store], { cwd }).spawn(),
    store,
    /** Ends the server. */
    async stop(signal: Deno.Signal = "SIGTERM") {
      server.kill(signal);
      await server.ended();
      await server[Symbol.asyncDispose]();
    },
    /** Starts it again, at the same address. */
    async startAgain() {
      server = await start("--http", new URL(url).host);
      assert.equal(server.url, url);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(bytes).toHex();
}

/** Resolves once a run stands so. */
export async function stands(
  server: Serving,
  id: string,
  status: string,
  steps = 0,
): Promise<void> {
  for (;;) {
    const { body } = await server.ask("GET", `/runs/${id}`);
    if (body.status === status && body.steps.length >= steps) return;
  }
}
