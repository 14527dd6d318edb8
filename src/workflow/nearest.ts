/** The candidate that was probably meant, or `null` where none is near. */
export function nearest(written: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(Math.min(written.length, 64) / 3)) + 0.5;
  const plain = simplify(written);
  for (const candidate of candidates) {
    if (candidate === written || Math.abs(candidate.length - written.length) > least + 2) continue;
    const distance = editDistance(plain, simplify(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** `; did you mean "retry"?`, or nothing. */
export function didYouMean(written: string, candidates: Iterable<string>): string {
  const found = nearest(written, candidates);
  return found === null ? "" : `; did you mean "${found}"?`;
}

/** `maxDelay`, `max-delay` and `max_delay` are one word. */
function simplify(word: string): string {
  return word.slice(0, 64).replaceAll(/[-_ ]/g, "").toLowerCase();
}

/** Damerau's: insertions, deletions, changes and swapped neighbours count one each. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
