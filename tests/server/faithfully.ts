import type { SentEvent, Serving } from "./serving.ts";

/** Hears a stream as a browser does: comes back after a break, to where it was. */
export async function* faithfully(
  server: () => Serving,
  path: string,
): AsyncGenerator<SentEvent> {
  for (let last = "";;) {
    try {
      const headers = last === "" ? {} : { "last-event-id": last };
      for await (const event of server().events(path, headers)) {
        if (event.event === "end") return;
        last = event.id;
        yield event;
      }
    } catch { /* the server is away */ }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
