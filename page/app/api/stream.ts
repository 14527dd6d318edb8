import { signal } from "@preact/signals";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { headersFor, refused } from "./request.ts";
import type { ApiError } from "./api_error.ts";

/** How a stream of events stands. */
export type StreamState = "connecting" | "live" | "lost" | "ended";

/** What hears a stream. */
export interface StreamListener {
  /** One event. @returns `true`: it was the last that there will be */
  event(data: string): boolean;
  state?(state: StreamState): void;
  /** The server refuses it: there is no use in trying again. */
  refused?(error: ApiError): void;
}

/** Streams that are open now, and those among them that have lost their server. */
export const streams = signal({ open: 0, lost: 0 });

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/**
 * Follows server-sent events; `path` goes on from `/api/v1`. A lost connection is made again, and goes
 * on after the last event heard. Not the browser's own `EventSource`: that can't show a token.
 *
 * @returns ends it
 */
export function follow(path: string, listener: StreamListener): () => void {
  const stop = new AbortController();
  const tell = counted((state) => listener.state?.(state));
  run(path, listener, tell, stop.signal).finally(() => tell("ended"));
  return () => stop.abort();
}

async function run(
  path: string,
  listener: StreamListener,
  tell: (state: StreamState) => void,
  stopped: AbortSignal,
): Promise<void> {
  let last: string | null = null;
  let pause = FIRST_PAUSE;
  tell("connecting");
  while (!stopped.aborted) {
    try {
      const response: Response = await fetch(`/api/v1${path}`, {
        headers: headersFor({
          accept: "text/event-stream",
          ...last === null ? {} : { "last-event-id": last },
        }),
        cache: "no-store",
        signal: stopped,
      });
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        listener.refused?.(refused(response.status, await response.json().catch(() => null)));
        return;
      }
      if (response.ok && response.body !== null) {
        tell("live");
        pause = FIRST_PAUSE;
        const events = response.body
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream());
        for await (const event of chunksOf(events)) {
          if (event.event === "end") return;
          if (event.event === "error") break; // it goes on once the server can again
          if (event.id !== undefined) last = event.id;
          if (listener.event(event.data)) return;
        }
      }
    } catch {
      // The connection broke, or was never made.
    }
    if (stopped.aborted) return;
    tell("lost");
    await sleep(pause * (0.5 + Math.random() / 2), stopped);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** What a stream has, one after the other: not every browser can iterate over one by itself. */
async function* chunksOf<T>(stream: ReadableStream<T>): AsyncIterable<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {}); // it has failed already
  }
}

/** Keeps {@linkcode streams} right. */
function counted(tell: (state: StreamState) => void): (state: StreamState) => void {
  let before: StreamState | null = null;
  return (state) => {
    if (state === before) return;
    const { open, lost } = streams.value;
    streams.value = {
      open: open + Number(before === null) - Number(state === "ended"),
      lost: lost + Number(state === "lost") - Number(before === "lost"),
    };
    before = state;
    tell(state);
  };
}

function sleep(milliseconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stopped.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
