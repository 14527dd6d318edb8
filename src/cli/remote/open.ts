import type { ServerPlace } from "../store_option.ts";
import type { Operator, RunsView } from "../views.ts";
import { Api } from "./api.ts";
import { remoteJournal } from "./journal.ts";
import { remoteOperator } from "./operator.ts";
import { type Patience, patient } from "./patience.ts";

/**
 * The runs of a server, to look at them.
 *
 * @param patience where they are looked at for long: so that the server may be away for a while
 * @throws {MaestroError} `USAGE`
 */
export async function remoteRuns(place: ServerPlace, patience?: Patience): Promise<RunsView> {
  const api = await Api.open(place);
  return remoteJournal(patience === undefined ? api : patient(api, patience));
}

/** The runs of a server, to act on them. @throws {MaestroError} `USAGE` */
export async function remotePlace(
  place: ServerPlace,
): Promise<{ readonly journal: RunsView; readonly operator: Operator }> {
  const api = await Api.open(place);
  return { journal: remoteJournal(api), operator: remoteOperator(api) };
}
