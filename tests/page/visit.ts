import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { fromFileUrl } from "../support/paths.ts";

/** Where screenshots are kept: they are an output of the tests. */
const SHOTS = new URL("../../.build/screenshots/", import.meta.url);

/** How long something may take to be seen, in milliseconds. */
const PATIENCE = 10_000;

/** What a person looks at the page with. */
export interface Screen {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

/** A desk's and a phone's. */
export const SCREENS: readonly Screen[] = [
  { name: "1280", width: 1280, height: 900 },
  { name: "390", width: 390, height: 844 },
];

/** A person at the page. What the browser complains of is an error, unless it was expected. */
export class Visit implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #url: string;
  readonly #complaints: string[] = [];
  /** Complaints that fit are none. */
  readonly expected: RegExp[] = [];

  private constructor(
    readonly page: Page,
    readonly screen: Screen,
    context: BrowserContext,
    url: string,
  ) {
    this.#context = context;
    this.#url = url;
  }

  /** Opens the page. */
  static async open(browser: Browser, url: string, screen: Screen): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: screen.width, height: screen.height },
      colorScheme: screen.dark === true ? "dark" : "light",
      reducedMotion: "reduce",
      hasTouch: screen.width < 500,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const visit = new Visit(page, screen, context, url);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        visit.#complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => visit.#complaints.push(String(error)));
    return visit;
  }

  /** Goes to an address. */
  async go(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
  }

  /** Waits for a text. */
  async sees(text: string | RegExp, within = "body"): Promise<void> {
    await this.page.locator(within).getByText(text).first().waitFor();
  }

  /** Waits for a heading of the view. */
  async reads(heading: string | RegExp): Promise<void> {
    await this.page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  }

  /** Waits until a run stands so. */
  async status(status: string): Promise<void> {
    await this.page.getByText(`The run is ${status}`, { exact: true }).waitFor();
  }

  /** Presses a button. */
  async press(name: string | RegExp, within = "body"): Promise<void> {
    await this.page.locator(within).getByRole("button", { name }).first().click();
  }

  /** Follows a link. */
  async follows(name: string | RegExp, within = "body"): Promise<void> {
    await this.page.locator(within).getByRole("link", { name }).first().click();
  }

  /** A step of the graph, by what it is called and how it stands. */
  step(name: RegExp): Locator {
    return this.page.locator(".graph-scroll").getByRole("button", { name });
  }

  /** Fills a field. */
  async fills(label: string | RegExp, text: string): Promise<void> {
    await this.page.getByLabel(label).first().fill(text);
  }

  /** The text of all that fits, as it is now. */
  async texts(selector: string): Promise<readonly string[]> {
    return await this.page.locator(selector).allInnerTexts();
  }

  /** Keeps a picture, and checks what is seen: nothing hangs over the screen, and everybody can read it. */
  async keeps(name: string): Promise<void> {
    await Deno.mkdir(SHOTS, { recursive: true });
    const file = new URL(`${name}-${this.screen.name}.png`, SHOTS);
    await this.page.screenshot({ path: fromFileUrl(file), fullPage: true });
    const over = await this.page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    assert.ok(over <= 0, `${name} hangs ${over} pixels over the screen's edge`);
    await this.#checkAccess(name);
  }

  /** @see https://www.deque.com/axe */
  async #checkAccess(name: string): Promise<void> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate<axe.AxeResults>("axe.run(document)");
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) =>
        `${id}: ${help}\n  ${nodes[0]?.html}\n  ${nodes[0]?.failureSummary}`
      );
    assert.deepEqual(serious, [], `${name} at ${this.screen.name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }

  /** Fails where the browser has complained. */
  isQuiet(): void {
    const unexpected = this.#complaints.filter((text) =>
      !this.expected.some((pattern) => pattern.test(text))
    );
    assert.deepEqual(unexpected, [], "the browser complained");
  }
}
