/** How times are said. */
import assert from "node:assert/strict";
import { ago, duration, roundDuration } from "../../page/app/ui/duration.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const SAID: readonly (readonly [number | null, string])[] = [
  [null, "–"],
  [NaN, "–"],
  [-5, "0 ms"],
  [999.4, "999 ms"],
  [999.7, "1.00 s"],
  [9_994, "9.99 s"],
  [9_996, "10.0 s"],
  [59_949, "59.9 s"],
  [59_960, "1 min"],
  [119_700, "2 min"],
  [61 * SECOND, "1 min 1 s"],
  [HOUR - 400, "1 h"],
  [2 * HOUR, "2 h"],
  [25 * HOUR + 5 * MINUTE, "25 h 5 min"],
  [49 * HOUR, "2 d 1 h"],
];

for (const [milliseconds, said] of SAID) {
  Deno.test(`${milliseconds} ms is said as "${said}"`, () => {
    assert.equal(duration(milliseconds), said);
  });
}

Deno.test("the moments of an axis are said in few characters", () => {
  const moments = [0, 50, 1_000, 1_500, 10_000, MINUTE, 90 * SECOND, HOUR].map(roundDuration);
  assert.deepEqual(moments, [
    "0 ms",
    "50 ms",
    "1 s",
    "1.5 s",
    "10 s",
    "1 min",
    "1 min 30 s",
    "1 h",
  ]);
});

const AGO: readonly (readonly [number, number, Intl.RelativeTimeFormatUnit])[] = [
  [-59 * SECOND, -59, "second"],
  [-MINUTE, -1, "minute"],
  [-(HOUR - SECOND), -59, "minute"],
  [-HOUR, -1, "hour"],
  [-23 * HOUR, -23, "hour"],
  [-49 * HOUR, -2, "day"],
  [5 * MINUTE, 5, "minute"],
];

for (const [distance, count, unit] of AGO) {
  Deno.test(`a moment ${distance} ms away is said in ${unit}s`, () => {
    const format = new Intl.RelativeTimeFormat(undefined, { style: "short" });
    assert.equal(ago(distance, 0), format.format(count, unit));
  });
}
