import { pageLimit } from "../page_size.ts";
import { pageToken as tokenOf, readPageToken } from "../page_token.ts";
import { fieldError } from "./field_error.ts";

/** The page of a list that is at hand as a whole. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Empty: there are no more. */
  readonly nextPageToken: string;
}

/**
 * Cuts a page out of a short list. Its token is the last one's key, so that it stays right when the
 * list changes in between.
 *
 * @param keyOf names an item, and sorts the list
 * @throws {MaestroError} `USAGE`
 */
export function pageOf<T>(
  all: readonly T[],
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  keyOf: (item: T) => string,
): Page<T> {
  if (pageSize < 0) throw fieldError("page_size", `${pageSize} is less than 0`);
  const size = pageLimit(pageSize);
  const sorted = all.map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => a.key < b.key ? -1 : 1);
  const after = pageToken === "" ? "" : readPageToken(pageToken, {});
  const left = sorted.filter(({ key }) => key > after);
  const page = left.slice(0, size);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    nextPageToken: left.length > size && last !== undefined ? tokenOf(last.key, {}) : "",
  };
}
