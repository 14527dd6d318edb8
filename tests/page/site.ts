import { Engine } from "../../src/engine/engine.ts";
import { systemClock } from "../../src/engine/clock.ts";
import { checkWorkflow } from "../../src/library/check.ts";
import { pageResponse } from "../../src/server/page/page.ts";
import { Server } from "../../src/server/server.ts";
import type { Tokens } from "../../src/server/tokens.ts";
import { WorkflowFolder } from "../../src/server/workflow_folder.ts";
import { memoryJournal } from "../../src/store/memory.ts";
import { tempFiles } from "../support/temp_files.ts";
import { World } from "../support/world.ts";
import { SCRIPTS, WORKFLOWS } from "./shop.ts";

/** A server with the page, over services in memory. */
export interface Site extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
}

/** Opens one; it serves until it is disposed of. */
export async function openSite({ tokens = null, workflows = WORKFLOWS, port = 0 }: {
  readonly tokens?: Tokens | null;
  readonly workflows?: Readonly<Record<string, string>>;
  readonly port?: number;
} = {}): Promise<Site> {
  const files = await tempFiles(workflows);
  const folder = await WorkflowFolder.open({ folder: files.path("."), check: checkWorkflow });
  const journal = memoryJournal();
  let wake = () => {};
  const engine = new Engine({
    journal,
    caller: new World(SCRIPTS, systemClock).caller(),
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
    async [Symbol.asyncDispose]() {
      await server.close();
      await files[Symbol.asyncDispose]();
    },
  };
}
