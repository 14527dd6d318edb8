/** How many things a page has where nobody says. */
export const PAGE_SIZE = 50;

/** How many it has at most. */
export const LARGEST_PAGE = 1_000;

/** How many a page may have. @param asked 0: nobody says */
export function pageLimit(asked: number): number {
  return Math.min(asked === 0 ? PAGE_SIZE : asked, LARGEST_PAGE);
}
