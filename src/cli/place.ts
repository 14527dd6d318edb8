/**
 * Where runs are: in a store that this program opens, or at a server.
 *
 * @module
 */
import type { Journal } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { readSecrets } from "./secret_option.ts";
import type { Stage } from "./stage.ts";
import { inStore, openExisting, type Place, type ServerPlace, whereNot } from "./store_option.ts";
import type { Operator, RunsView } from "./views.ts";

/** The options that say where runs are. */
export interface PlaceFlags {
  readonly store: string;
  /** A server's URL: instead of the store. */
  readonly server?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly insecure?: true | undefined;
}

/** The place that the options name. @throws {MaestroError} `USAGE` */
export function placeOf(flags: PlaceFlags): Place {
  return serverOf(flags) ?? flags.store;
}

/**
 * Opens the runs that there are, to look at them.
 *
 * @param onAway hears why the server can't be asked, and `null` once it can again, where they are
 * looked at for long. Default: that is an error
 * @throws {MaestroError} `USAGE`; `STORE_FAILED`
 */
export async function openRuns(
  flags: PlaceFlags,
  onAway?: (why: string | null) => void,
): Promise<RunsView> {
  const server = serverOf(flags);
  if (server === null) return await openExisting(flags.store);
  const { remoteRuns } = await import("./remote/open.ts");
  return await remoteRuns(server, onAway && { onAway });
}

/** Says of a run that is not there where it is not. @throws {MaestroError} `RUN_NOT_FOUND`, and others */
export function inPlace<T>(place: Place, finding: Promise<T>): Promise<T> {
  return typeof place === "string"
    ? inStore(place, finding)
    : whereNot(`at the server "${place.server}"`, finding);
}

/**
 * Opens the runs that there are, to act on them.
 *
 * @param onPosted hears that what is wanted stands in the inbox of a run that another process has
 * @throws {MaestroError} `USAGE`; `STORE_FAILED`
 */
export async function openOperator(
  stage: Stage,
  flags: PlaceFlags & { readonly secret?: readonly string[] | undefined },
  onPosted: () => void = () => {},
): Promise<{ readonly journal: RunsView; readonly operator: Operator }> {
  const server = serverOf(flags);
  if (server !== null) return await (await import("./remote/open.ts")).remotePlace(server);
  const secrets = await readSecrets(flags.secret, stage.mask);
  const journal = await openExisting(flags.store);
  return { journal, operator: await stage.open(whenPosted(journal, onPosted), secrets) };
}

/** The server that is asked; `null`: none is. @throws {MaestroError} `USAGE` where there is a token and no server */
export function serverOf({ server, tokenFile, insecure }: PlaceFlags): ServerPlace | null {
  if (server !== undefined) return { server, tokenFile, insecure };
  if (tokenFile === undefined && insecure === undefined) return null;
  const option = tokenFile === undefined ? "--insecure" : "--token-file";
  throw new MaestroError("USAGE", `Cannot use ${option} alone: it goes with --server`);
}

/** A journal that calls back once something stands in the inbox of a run. */
function whenPosted(journal: Journal, callback: () => void): Journal {
  return {
    ...journal,
    async post(runId, command) {
      const number = await journal.post(runId, command);
      callback();
      return number;
    },
  };
}
