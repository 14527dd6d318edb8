import { Engine } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { pageResponse } from "../../src/server/page/page.ts";
import type { Caller, StartRunRequest } from "../../src/server/operations.ts";
import { Server } from "../../src/server/server.ts";
import type { Tokens } from "../../src/server/tokens.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import type { Json } from "../../src/workflow/json.ts";
import { tempFiles } from "../support/temp_files.ts";
import { type Script, World } from "../support/world.ts";
import { SCRIPTS, WORKFLOWS } from "./shop.ts";

/** A server with the page, over services in memory. */
export interface Site extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  /** Where a workflow's file is. */
  path(file: string): string;
  /** Starts a run. */
  start(workflow: string, input: Json, ids?: Partial<StartRunRequest>): Promise<void>;
  /** Resolves once a run has ended. */
  ended(runId: string): Promise<void>;
}

const ME: Caller = { name: "test", role: "admin" };

/** What a site has; where nothing is said, the shop. */
export interface SiteOptions {
  readonly tokens?: Tokens | null;
  readonly workflows?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, Script>>;
  readonly port?: number;
}

/** Opens one; it serves until it is disposed of. */
export async function openSite(
  { tokens = null, workflows = WORKFLOWS, scripts = SCRIPTS, port = 0 }: SiteOptions = {},
): Promise<Site> {
  const files = await tempFiles(workflows);
  const folder = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = memoryJournal();
  let wake = () => {};
  const engine = new Engine({
    journal,
    caller: new World(scripts, systemClock).caller(),
    onHappening: () => wake(),
    onRest: () => wake(),
  });
  const server = new Server({
    engine,
    journal,
    workflows: folder,
    tokens,
    hosts: new Set(),
    version: "0",
    page: pageResponse,
    onDefect: (thrown) => console.error(thrown),
  });
  wake = () => server.wake();
  const { url } = server.listenHttp({ hostname: "127.0.0.1", port }, null);
  await server.resume(() => {});
  return {
    url,
    server,
    path: (file) => files.path(file),
    async start(workflow, input, ids = {}) {
      await server.operations.startRun({ workflow, input, ...ids }, ME);
    },
    async ended(runId) {
      const { signal } = new AbortController();
      for await (const _ of server.operations.runEvents(runId, { signal })); // they end with the run
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await files[Symbol.asyncDispose]();
    },
  };
}
