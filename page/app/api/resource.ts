import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError } from "./api_error.ts";
import { token } from "./token.ts";

/** Something of the server's, as far as it is known. */
export interface Resource<T> {
  /** What was heard last; `null`: nothing yet. */
  readonly data: ReadonlySignal<T | null>;
  /** Why it is not known, or not known anew. */
  readonly error: ReadonlySignal<ApiError | null>;
  /** Asks again; what there is stays until the answer comes. */
  readonly refresh: () => void;
}

/**
 * Loads something of the server's, again whenever the key changes.
 *
 * @param key what is loaded; with another key, what there was is forgotten
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const resource = useMemo(() => new Loader(load), [key]);
  useEffect(() => {
    const end = effect(() => {
      void token.value; // with another token, another answer
      resource.refresh();
    });
    return () => {
      end();
      resource.stop();
    };
  }, [resource]);
  return resource;
}

class Loader<T> implements Resource<T> {
  readonly data = signal<T | null>(null);
  readonly error = signal<ApiError | null>(null);
  readonly #load: (signal: AbortSignal) => Promise<T>;
  #now: AbortController | null = null;
  /** It was asked for anew while an answer was on its way. */
  #again = false;

  constructor(load: (signal: AbortSignal) => Promise<T>) {
    this.#load = load;
  }

  readonly refresh = (): void => {
    if (this.#now === null) this.#ask();
    else this.#again = true;
  };

  stop(): void {
    this.#again = false;
    this.#now?.abort();
  }

  async #ask(): Promise<void> {
    const now = this.#now = new AbortController();
    try {
      this.data.value = await this.#load(now.signal);
      this.error.value = null;
    } catch (thrown) {
      if (!now.signal.aborted) this.error.value = ApiError.from(thrown);
    }
    this.#now = null;
    if (!this.#again) return;
    this.#again = false;
    this.#ask();
  }
}

/**
 * Refreshes every so often, in milliseconds, while the page can be seen; not where the server wants
 * another token first: it records each request that it refuses.
 */
export function useRefreshEvery(resource: Resource<unknown>, every: number): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && resource.error.value?.status !== 401) resource.refresh();
    }, every);
    return () => clearInterval(timer);
  }, [resource, every]);
}
