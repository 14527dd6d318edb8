import { isForTheLog, statusOf } from "../status.ts";
import { batches } from "./batches.ts";
import type { StreamEvent } from "./route.ts";

/** How often a silent stream says that it is there, in milliseconds: whoever is between drops silent ones. */
const SIGN_OF_LIFE_EVERY = 15_000;

/** How long a reader may take nothing, in milliseconds, before it is cut off. */
const PATIENCE = 30_000;

/** How much may be on its way to a reader, in bytes. */
const ON_ITS_WAY = 64 * 1024;

/** How long a reader waits before it comes back, in milliseconds. */
const COME_BACK_AFTER = 1_000;

const encoder = new TextEncoder();

/** How the streams of one server behave. */
export interface StreamOptions {
  /** @default 30 s */
  readonly patience?: number;
  /** How often a silent stream says that it is there, in milliseconds. @default 15 s */
  readonly signOfLifeEvery?: number;
  /** Throws, at each sign of life, what the stream is to end with. */
  readonly checkReader?: () => void;
  /** Hears of a defect, so that it can be logged. */
  readonly onDefect?: (thrown: unknown) => void;
}

/**
 * Events as server-sent events. Reads on only when the reader does; cuts off who takes nothing for
 * too long. Ends with the event `end`, or `error` with the status that says why.
 *
 * @param abort ends the events
 */
export function eventStream(
  events: AsyncIterable<StreamEvent>,
  abort: AbortController,
  options: StreamOptions = {},
): ReadableStream<Uint8Array> {
  const { patience = PATIENCE, signOfLifeEvery = SIGN_OF_LIFE_EVERY, onDefect } = options;
  const iterator = events[Symbol.asyncIterator]();
  const texts = batches(textsOf(iterator), ON_ITS_WAY);
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let takenAt = Date.now();
  let isOver = false;
  const say = (text: string) => controller.enqueue(encoder.encode(text));
  const over = () => {
    isOver = true;
    clearInterval(timer);
    abort.abort();
    iterator.return?.().catch(() => {});
  };
  const fail = (thrown: unknown) => {
    if (isForTheLog(thrown)) onDefect?.(thrown);
    say(`event: error\ndata: ${JSON.stringify(statusOf(thrown).body)}\n\n`);
  };
  const look = () => {
    try {
      options.checkReader?.();
    } catch (thrown) {
      fail(thrown);
      over();
      return controller.close();
    }
    const isTaken = (controller.desiredSize ?? 0) > 0;
    if (isTaken) say(":\n\n");
    else if (Date.now() - takenAt >= patience) {
      over();
      controller.error(new Error("The reader takes nothing"));
    }
  };
  const timer = setInterval(look, Math.min(signOfLifeEvery, patience));
  return new ReadableStream<Uint8Array>({
    start(its) {
      controller = its;
      say(`retry: ${COME_BACK_AFTER}\n\n`);
    },
    async pull() {
      takenAt = Date.now();
      try {
        const { done, value } = await texts.next();
        if (isOver) return;
        if (!done) return say(value);
        if (!abort.signal.aborted) say("event: end\ndata: {}\n\n"); // else there may be more
      } catch (thrown) {
        if (isOver) return;
        fail(thrown);
      }
      over();
      controller.close();
    },
    cancel: over,
  }, new ByteLengthQueuingStrategy({ highWaterMark: ON_ITS_WAY }));
}

async function* textsOf(events: AsyncIterator<StreamEvent>): AsyncGenerator<string, void, void> {
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const { id, data } = next.value;
    yield `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
