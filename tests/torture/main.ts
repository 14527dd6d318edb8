/**
 * `KILLS=10000 SEED=7 deno task torture` kills that many processes, and says what it found; 1 is its
 * exit code where something is wrong.
 *
 * @module
 */
import { killsOf, summaryOf, torture } from "./torture.ts";

const kills = numberOf("KILLS", 300);
const seed = numberOf("SEED", Date.now() % 1_000_000);
const began = performance.now();
console.log(`KILLS=${kills} SEED=${seed} deno task torture`);

let told = 0;
const tally = await torture({
  kills,
  seed,
  onStore(name, tally) {
    console.log(`${seconds()} s  ${killsOf(tally)} kills  ${name}`);
    for (const problem of tally.problems.slice(told)) console.log(`  WRONG: ${problem}`);
    told = tally.problems.length;
  },
});
console.log(`\nSEED=${seed}: ${summaryOf(tally)}, in ${seconds()} s`);
Deno.exit(tally.problems.length === 0 ? 0 : 1);

function seconds(): string {
  return ((performance.now() - began) / 1_000).toFixed(0);
}

function numberOf(name: string, other: number): number {
  const number = Number(Deno.env.get(name) ?? other);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name} is to be a whole number`);
  return number;
}
