import type { RunReport } from "../../src/engine/report.ts";
import type { Desk } from "./desk.ts";
import { maestro } from "./program.ts";

/** How often it is asked at most. */
const MOST = 100;

/** Where a run stands by `maestro runs show`, once it stands so. */
export async function stands(
  desk: Desk,
  id: string,
  so: (report: RunReport) => boolean = () => true,
): Promise<RunReport> {
  const args = ["runs", "show", id, "--output", "json"];
  let last = "";
  for (let asked = 0; asked < MOST; asked++) {
    const { code, stdout } = await maestro(args, { cwd: desk.folder });
    last = stdout;
    if (code !== 0) continue; // it has not started yet
    const report: RunReport = JSON.parse(stdout);
    if (so(report)) return report;
  }
  throw new Error(`Run "${id}" never stood so; in the end it stood like this: ${last}`);
}
