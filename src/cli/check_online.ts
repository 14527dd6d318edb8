import { MaestroError, type Problem } from "../errors.ts";
import { type Caller, type Method, Unreachable } from "../engine/doors.ts";
import { findMethods } from "../engine/methods.ts";
import { targetsOf } from "../engine/targets.ts";
import { lazyGrpcCaller } from "../library/open.ts";
import { repeatWarnings } from "../library/repeats.ts";
import { environment, secretsFrom } from "../library/secrets.ts";
import { eachChild } from "../workflow/calls.ts";
import type { Service, Workflow } from "../workflow/model.ts";
import { releaseWarning } from "./deno_release.ts";
import type { Io } from "./io.ts";

/**
 * Checks the methods of a workflow and of its children against their services, which must be up. What
 * their files tell is told again.
 */
export async function checkOnline(workflow: Workflow, { stderr }: Io): Promise<readonly Problem[]> {
  const warning = releaseWarning(Deno.version.deno);
  if (warning !== null) stderr.write(`warning: ${warning}\n`);
  const caller = lazyGrpcCaller();
  try {
    const family = [workflow, ...eachChild(workflow)];
    return (await Promise.all(family.map((each) => checkOne(each, caller)))).flat();
  } finally {
    await caller.close();
  }
}

async function checkOne(workflow: Workflow, caller: Caller): Promise<readonly Problem[]> {
  const silent = new Map<Service, string>();
  const listening: Caller = {
    method: async (target, name): Promise<Method> => {
      try {
        return await caller.method(target, name);
      } catch (thrown) {
        const { service } = target;
        if (thrown instanceof Unreachable) {
          silent.set(workflow.services[service.name] ?? service, thrown.message);
        }
        throw thrown;
      }
    },
    close: () => caller.close(),
  };
  try {
    const targets = await targetsFor(workflow);
    const { methods, problems } = await findMethods(workflow, targets, listening);
    const unreachable = [...silent].map(([service, message]) =>
      problem(service.place, "unreachable", message)
    );
    return [...problems, ...repeatWarnings(workflow, methods), ...unreachable];
  } catch (thrown) {
    const { code, message, problems } = MaestroError.from(thrown);
    return problems.length > 0 ? problems : [problem(workflow.place, code.toLowerCase(), message)];
  }
}

function problem(place: Workflow["place"], code: string, message: string): Problem {
  return { severity: "error", code, message, ...place };
}

async function targetsFor(workflow: Workflow) {
  const source = secretsFrom();
  const rotating = { read: async (name: string) => await source.read(name) ?? "" };
  const secrets: Record<string, string> = {};
  for (const name of workflow.secrets) secrets[name] = await rotating.read(name);
  const env = Object.fromEntries(
    workflow.env.flatMap((name) => {
      const value = environment(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return targetsOf(workflow, { env, secrets, rotating, endpoints: {} });
}
