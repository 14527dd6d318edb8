/**
 * The main job in one command: starts the example services (the TypeScript ones, which need nothing
 * but Deno), onboards a user, and shows what the services did. `deno task demo`
 *
 * `deno task demo --failing` shows the card being declined, and what is undone then.
 */
import { fileURLToPath } from "node:url";
import { startServices } from "./services/start.ts";

const failing = Deno.args.includes("--failing");
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const services = await startServices({ languages: ["deno"] });
let code: number;
try {
  const input = failing ? "input_failing.json" : "input.json";
  const { code: exit } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      here("../mod.ts"),
      "run",
      here("user_onboarding/workflow.yaml"),
      "--input",
      `@${here(`user_onboarding/${input}`)}`,
      ...Object.entries(services.endpoints)
        .filter(([service]) => ["accounts", "payments", "rewards", "mail"].includes(service))
        .flatMap(([service, endpoint]) => ["--endpoint", `${service}=${endpoint}`]),
      "--store",
      "memory",
      "--output",
      "pretty",
    ],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  code = exit;
} finally {
  await services.stop();
}
Deno.exit(code);
