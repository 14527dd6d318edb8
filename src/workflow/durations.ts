/** Milliseconds of each unit, longest first. */
const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const SPELLING =
  /^(?=.)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;

/** As a JSON Schema says it. */
export const DURATION_PATTERN = "^(?=.)(\\d+(\\.\\d+)?d)?(\\d+(\\.\\d+)?h)?(\\d+(\\.\\d+)?m)?" +
  "(\\d+(\\.\\d+)?s)?(\\d+(\\.\\d+)?ms)?$";

/** The longest duration there is: a hundred years. */
export const MAX_DURATION = 36_500 * 86_400_000;

/** Reads `250ms`, `30s`, `1h30m` or `2d` as milliseconds; `null` where it is none of these. */
export function parseDuration(text: string): number | null {
  const parts = SPELLING.exec(text)?.slice(1);
  if (parts === undefined) return null;
  return Math.round(
    UNITS.reduce((sum, [, size], at) => sum + Number(parts[at] ?? 0) * size, 0),
  );
}

/** The shortest spelling of so many milliseconds, such as `1h30m`. */
export function formatDuration(milliseconds: number): string {
  let left = Math.round(milliseconds);
  let text = "";
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text === "" ? "0s" : text;
}

/**
 * The duration that someone probably meant by a bare number or a foreign spelling (`30`, `5 min`,
 * `1.5 seconds`), as Maestro spells it; `null` where there is no telling. Bare numbers from 1000 on
 * are taken for milliseconds, others for seconds.
 */
export function guessDuration(written: string | number): string | null {
  if (typeof written === "number" || /^\d+(\.\d+)?$/.test(written.trim())) {
    const number = Number(written);
    if (!(number > 0) || number > MAX_DURATION) return null;
    return formatDuration(number < 1000 ? number * 1000 : number);
  }
  let total = 0;
  const rest = written.toLowerCase().replace(
    /(\d+(?:\.\d+)?)\s*([a-zµ]+)[\s,]*/g,
    (all, count, word) => {
      const size = sizeOfWord(word);
      if (size === null) return all;
      total += Number(count) * size;
      return "";
    },
  );
  return rest.trim() === "" && total >= 1 && total <= MAX_DURATION ? formatDuration(total) : null;
}

function sizeOfWord(word: string): number | null {
  const unit = /^(ms|msecs?|millis|milliseconds?)$/.test(word) ? "ms" : word[0];
  const known = /^(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)$/.test(word);
  if (!known && unit !== "ms") return null;
  return UNITS.find(([name]) => name === unit)?.[1] ?? null;
}
