/**
 * Runs of workflow texts against real servers, in this process, as a program that imports Maestro
 * has them.
 *
 * @module
 */
import {
  loadWorkflow,
  openEngine,
  type Run,
  type RunReport,
  type StartOptions,
} from "../../mod.ts";
import { tempFiles } from "./temp_files.ts";

/** Runs a workflow to its end; `meanwhile` sees it while it goes on. */
export async function runToEnd(
  text: string,
  options: StartOptions = {},
  meanwhile: (run: Run) => Promise<void> | void = () => {},
): Promise<RunReport> {
  await using files = await tempFiles({ "workflow.yaml": text });
  const engine = openEngine();
  try {
    const run = await engine.start(await loadWorkflow(files.path("workflow.yaml")), options);
    await meanwhile(run);
    return await run.result();
  } finally {
    await engine.close();
  }
}
