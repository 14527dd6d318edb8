import type { Operator, RunsView } from "../views.ts";
import { Api, type ServerFlags } from "./api.ts";
import { remoteJournal } from "./journal.ts";
import { remoteOperator } from "./operator.ts";

/** The runs of a server, to look at them. @throws {MaestroError} `USAGE` */
export async function remoteRuns(flags: ServerFlags): Promise<RunsView> {
  return remoteJournal(await Api.open(flags));
}

/** The runs of a server, to act on them. @throws {MaestroError} `USAGE` */
export async function remotePlace(
  flags: ServerFlags,
): Promise<{ readonly journal: RunsView; readonly operator: Operator }> {
  const api = await Api.open(flags);
  return { journal: remoteJournal(api), operator: remoteOperator(api) };
}
