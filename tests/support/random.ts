/** Random numbers in [0, 1) that are the same for the same seed: Marsaglia's xorshift32. */
export function xorshift(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1; // never 0, and near seeds differ at once
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
