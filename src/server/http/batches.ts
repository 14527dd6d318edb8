import { setImmediate } from "node:timers";

/**
 * Joins the texts that come in one turn of the event loop: each write to a reader costs as much as
 * making a dozen of them.
 *
 * @param most so long a text is not waited with for more, in UTF-16 units
 */
export async function* batches(
  texts: AsyncIterator<string>,
  most: number,
): AsyncGenerator<string, void, void> {
  for (let next = texts.next();;) {
    const first = await next;
    if (first.done) return;
    let batch = first.value;
    const turn = new Promise<null>((resolve) => setImmediate(() => resolve(null)));
    for (;;) {
      next = texts.next();
      next.catch(() => {}); // who comes for what is next hears of it
      if (batch.length >= most) break;
      const more = await Promise.race([next.catch(() => null), turn]);
      if (more === null || more.done) break;
      batch += more.value;
    }
    yield batch;
  }
}
