/** A server of its own for each test, and a person at its page, at a desk and on a phone. */
import { CHROMIUM, openBrowser } from "./browser.ts";
import { openSite, type Site, type SiteOptions } from "./site.ts";
import { type Screen, SCREENS, Visit } from "./visit.ts";

if (CHROMIUM === null) {
  console.warn("SKIPPED: the page's tests need Chromium; install it, or set CHROMIUM to its path");
}

/** What a test has: a server of its own, and a person at its page. */
export interface Scene {
  readonly site: Site;
  readonly visit: Visit;
}

/** All tests' own; each has a context of its own in it. */
let browser: ReturnType<typeof openBrowser> | undefined;
Deno.test.afterAll(async () => {
  await (await browser)?.close();
});

/** The same at a desk and on a phone. */
export function scene(name: string, act: (scene: Scene) => Promise<void>, options: {
  readonly screens?: readonly Screen[];
  readonly site?: SiteOptions;
} = {}): void {
  const { screens = SCREENS, site = {} } = options;
  for (const screen of screens) {
    Deno.test({
      name: `${name} (${screen.name})`,
      ignore: CHROMIUM === null,
      // The browser's driver keeps timers and pipes of its own, beyond the test that opened it.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => play(screen, site, act),
    });
  }
}

async function play(
  screen: Screen,
  options: SiteOptions,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using site = await openSite(options);
  await using visit = await Visit.open(await (browser ??= openBrowser()), site.url, screen);
  await act({ site, visit });
  visit.isQuiet();
}
