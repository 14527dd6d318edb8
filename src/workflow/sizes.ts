const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** As a JSON Schema says it. */
export const SIZE_PATTERN = "^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$";

/** Reads `512KiB` or `4MiB` as bytes; `null` where it is not a size. */
export function parseSize(text: string): number | null {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  const size = unit === undefined ? undefined : UNITS[unit];
  return size === undefined ? null : Math.round(Number(count) * size);
}

/** The shortest spelling of so many bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"]) {
    const size = UNITS[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/**
 * The size that someone probably meant by a bare number or a foreign spelling (`4MB`, `4 mib`);
 * `null` where there is no telling. Bare numbers below 1024 are taken for MiB, others for bytes.
 */
export function guessSize(written: string | number): string | null {
  const [, count, letter] = /^\s*(\d+)\s*([kmg]?)i?(?:b|bytes)?\s*$/i.exec(String(written)) ?? [];
  const number = Number(count);
  if (count === undefined || number === 0 || number > Number.MAX_SAFE_INTEGER) return null;
  if (letter) return `${number}${letter.toUpperCase()}iB`;
  return number < 1024 && !/b/i.test(String(written)) ? `${number}MiB` : formatSize(number);
}
