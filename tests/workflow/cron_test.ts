/** When a schedule is due. */
import { deepEqual, equal } from "node:assert/strict";
import { cronProblem, lastMoment, nextMoment, nextMoments } from "../../src/workflow/cron.ts";

const time = (at: number | null): string | null => at === null ? null : new Date(at).toISOString();

/** Cron, time zone, from when, and the moments that follow. */
const CASES: readonly (readonly [
  what: string,
  cron: string,
  timezone: string,
  from: string,
  ...moments: string[],
])[] = [
  [
    "a time that the clocks jump over comes when they have jumped",
    "30 2 * * *",
    "Europe/Berlin",
    "2026-03-28T00:00:00Z",
    "2026-03-28T01:30:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-30T00:30:00Z",
  ],
  [
    "a time that the clocks show twice comes the first time only",
    "30 2 * * *",
    "Europe/Berlin",
    "2026-10-24T12:00:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-26T01:30:00Z",
  ],
  [
    "half hours leave nothing out when the clocks go forward",
    "*/30 * * * *",
    "Europe/Berlin",
    "2026-03-29T00:10:00Z",
    "2026-03-29T00:30:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:30:00Z",
    "2026-03-29T02:00:00Z",
  ],
  [
    "half hours leave nothing out when the clocks go back",
    "*/30 * * * *",
    "Europe/Berlin",
    "2026-10-25T00:10:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-25T01:30:00Z",
    "2026-10-25T02:00:00Z",
  ],
  [
    "of several times one that the clocks jump over comes when they have jumped",
    "30 2,14 * * *",
    "Europe/Berlin",
    "2026-03-28T22:30:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T12:30:00Z",
    "2026-03-30T00:30:00Z",
  ],
  [
    "of several times one that the clocks show twice comes the first time only",
    "30 2,14 * * *",
    "Europe/Berlin",
    "2026-10-24T21:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T13:30:00Z",
  ],
  [
    "several times that the clocks jump over come as one",
    "15,45 1-3 * * *",
    "Europe/Berlin",
    "2026-03-28T23:30:00Z",
    "2026-03-29T00:15:00Z",
    "2026-03-29T00:45:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:15:00Z",
    "2026-03-29T01:45:00Z",
    "2026-03-29T23:15:00Z",
  ],
  [
    "times of day to the second",
    "30 0 2,14 * * *",
    "Europe/Berlin",
    "2026-10-25T00:30:00Z",
    "2026-10-25T13:00:30Z",
    "2026-10-26T01:00:30Z",
  ],
  [
    "clocks that go back by half an hour",
    "45 1 * * *",
    "Australia/Lord_Howe",
    "2026-04-04T00:00:00Z",
    "2026-04-04T14:45:00Z",
    "2026-04-05T15:15:00Z",
  ],
  [
    "the 29th of February waits for its year",
    "0 0 29 2 *",
    "UTC",
    "2026-01-01T00:00:00Z",
    "2028-02-29T00:00:00Z",
    "2032-02-29T00:00:00Z",
  ],
  ["a day that never comes", "0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z"],
  [
    "the day of the month or the day of the week",
    "0 0 13 * 5",
    "UTC",
    "2026-01-08T00:00:00Z",
    "2026-01-09T00:00:00Z",
    "2026-01-13T00:00:00Z",
  ],
  [
    "six parts begin with the seconds",
    "*/20 * * * * *",
    "UTC",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:20Z",
    "2026-01-01T00:00:40Z",
  ],
];

for (const [what, cron, timezone, from, ...moments] of CASES) {
  Deno.test(`nextMoments() knows ${what}`, () => {
    const found = nextMoments({ cron, timezone }, Date.parse(from), moments.length || 1);
    deepEqual(found.map((at) => time(at)), moments.map((at) => time(Date.parse(at))));
  });
}

Deno.test("lastMoment() finds each moment that nextMoment() finds, from itself until the next", () => {
  for (const [, cron, timezone, from] of CASES) {
    const times = { cron, timezone };
    const moments = nextMoments(times, Date.parse(from), 6);
    moments.forEach((moment, index) => {
      equal(time(lastMoment(times, moment)), time(moment));
      equal(time(lastMoment(times, moment + 1)), time(moment));
      equal(time(nextMoment(times, moment - 1)), time(moment));
      const next = moments[index + 1];
      if (next !== undefined) equal(time(lastMoment(times, next - 1)), time(moment));
    });
  }
});

for (
  const [cron, problem] of [
    ["0 0 0 * *", "Invalid value for day: 0"],
    ["0 0 32 * *", "Invalid value for day: 32"],
    ["0 0 * 13 *", "Invalid value for month: 13"],
    ["0 24 * * *", "Invalid value for hour: 24"],
    ["0 0 * * 8", "Invalid value for dayOfWeek: 8"],
  ] as const
) {
  Deno.test(`cronProblem() names what is wrong with "${cron}" as it was written`, () => {
    equal(cronProblem(cron), problem);
  });
}
