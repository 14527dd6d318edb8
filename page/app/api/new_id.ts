/** An id that nobody else has. Browsers have no `crypto.randomUUID` where a page comes over plain HTTP. */
export function newId(): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(16)),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
