import { median } from "./measure.ts";

/** Times `maestro run` and a minimal grpc-js script that makes the same two calls, as whole processes. */
export async function coldStart(endpoint: string, pairs: number): Promise<void> {
  const here = (file: string) => new URL(file, import.meta.url).pathname;
  const script = ["run", "-A", here("plain_script.ts"), endpoint];
  const maestro = [
    "run",
    "-A",
    here("../mod.ts"),
    "run",
    here("two_calls.yaml"),
    "--endpoint",
    `echo=${endpoint}`,
    "--input",
    '{"text":"hello"}',
    "--quiet",
  ];
  await time(script);
  await time(maestro);
  const [a, b]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < pairs * 2; pair++) {
    a.push(await time(script));
    b.push(await time(maestro));
  }
  console.log(`\ncold start (median of ${pairs * 2})`);
  console.log(`  minimal grpc-js script ${median(a).toFixed(0)} ms`);
  console.log(`  maestro run            ${median(b).toFixed(0)} ms`);
  const ratios = b.map((run, pair) => run / (a[pair] ?? NaN));
  console.log(`  ratio maestro/script: ${median(ratios).toFixed(2)}`);
}

/** One run of a program from start to end, in milliseconds. */
async function time(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - began;
}
