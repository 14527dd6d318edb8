/**
 * Where runs are: in a store that this program opens, or at a server.
 *
 * @module
 */
import { MaestroError } from "../errors.ts";
import { readSecrets } from "./secret_option.ts";
import type { Stage } from "./stage.ts";
import { openExisting } from "./store_option.ts";
import type { Operator, RunsView } from "./views.ts";

/** The options that say where runs are. */
export interface PlaceFlags {
  readonly store: string;
  /** A server's URL: instead of the store. */
  readonly server?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The place as text, for commands that someone is told to type. */
export function placeOf({ server, store }: PlaceFlags): string {
  return server ?? store;
}

/** Opens the runs that there are, to look at them. @throws {MaestroError} `USAGE`; `STORE_FAILED` */
export async function openRuns(flags: PlaceFlags): Promise<RunsView> {
  const server = serverOf(flags);
  return server === null
    ? await openExisting(flags.store)
    : await (await import("./remote/open.ts")).remoteRuns(server);
}

/** Opens the runs that there are, to act on them. @throws {MaestroError} `USAGE`; `STORE_FAILED` */
export async function openOperator(
  stage: Stage,
  flags: PlaceFlags & { readonly secret?: readonly string[] | undefined },
): Promise<{ readonly journal: RunsView; readonly operator: Operator }> {
  const server = serverOf(flags);
  if (server !== null) return await (await import("./remote/open.ts")).remotePlace(server);
  const secrets = await readSecrets(flags.secret, stage.mask);
  const journal = await openExisting(flags.store);
  return { journal, operator: await stage.open(journal, secrets) };
}

/** The server that is asked; `null`: none is. @throws {MaestroError} `USAGE` where there is a token and no server */
export function serverOf({ server, tokenFile }: PlaceFlags) {
  if (server !== undefined) return { server, tokenFile };
  if (tokenFile === undefined) return null;
  throw new MaestroError("USAGE", "Cannot use --token-file alone: it goes with --server");
}
