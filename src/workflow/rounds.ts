/**
 * Where a step stands in a run. A step inside a loop has one path in the workflow, `ship[].label`, and
 * one in each round, `ship[3].label`.
 *
 * @module
 */

/** The numbers of the rounds of the loops around a step, outermost first. */
export type Rounds = readonly number[];

/** Outside of all loops. */
export const NO_ROUNDS: Rounds = [];

/** A step's path in these rounds. */
export function pathIn(path: string, rounds: Rounds): string {
  if (rounds.length === 0) return path;
  let filled = "";
  let from = 0;
  for (const round of rounds) {
    const at = path.indexOf("[]", from);
    if (at < 0) break;
    filled += `${path.slice(from, at)}[${round}]`;
    from = at + 2;
  }
  return filled + path.slice(from);
}

/**
 * The path in the workflow of a path in a run, and its rounds.
 *
 * @param isStep tells which paths there are in the workflow: `steps[2]` is a step and no round
 * @returns `undefined` where it is none
 */
export function placeOf(
  path: string,
  isStep: (path: string) => boolean,
): { readonly path: string; readonly rounds: Rounds } | undefined {
  if (isStep(path)) return { path, rounds: NO_ROUNDS };
  const parts = path.split(/\[(\d+)\]/); // text, number, text, number, …, text
  const numbers = (parts.length - 1) / 2;
  for (let choice = 1; choice < 2 ** numbers; choice++) {
    let place = parts[0] ?? "";
    const rounds: number[] = [];
    for (let at = 0; at < numbers; at++) {
      const number = parts[at * 2 + 1] ?? "";
      const isRound = (choice >> at & 1) === 1;
      if (isRound) rounds.push(Number(number));
      place += (isRound ? "[]" : `[${number}]`) + (parts[at * 2 + 2] ?? "");
    }
    if (isStep(place)) return { path: place, rounds };
  }
  return undefined;
}
