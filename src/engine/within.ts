/**
 * Waits for something, but not for longer than so many milliseconds.
 *
 * @returns whether it has come to its end, be that a failure; it may still do so later
 */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  const over = work.then(() => true, () => true);
  return await Promise.race([over, late]).finally(() => clearTimeout(timer));
}
