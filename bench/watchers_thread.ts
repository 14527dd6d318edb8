/** @see Watchers */
const thread = globalThis as unknown as Pick<Worker, "postMessage" | "onmessage">;

/** How soon whoever lost the server looks for it again, in milliseconds. */
const BACK_AFTER = 100;

let url = "";
let most = 0;
let watched = 0;
let atMost = 0;
const watching = new Set<Promise<void>>();

thread.onmessage = async ({ data }) => {
  if (data === "end") {
    await Promise.all(watching);
    thread.postMessage({ watched, atMost });
    watched = atMost = 0;
  } else if (data.url !== undefined) {
    ({ url, most } = data);
  } else if (watching.size < most) {
    watched++;
    const watch = watchRun(data.id).finally(() => watching.delete(watch));
    watching.add(watch);
    atMost = Math.max(atMost, watching.size);
  }
};

/** Sees a run from its beginning to its end, however often the stream breaks. @throws where an event is missing or twice */
async function watchRun(id: string): Promise<void> {
  let seen = "";
  while (!seen.endsWith("event: end\ndata: {}\n\n")) {
    const last = [...seen.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1];
    seen += await read(id, last);
  }
  const seqs = [...seen.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
  const isWhole = seqs.length > 3 && seqs.every((seq, index) => seq === index + 1) &&
    seen.includes('"kind":"run_ended"');
  if (!isWhole) throw new Error(`Events of ${id} are missing: ${seen}`);
}

/** Whole events, until the stream ends or breaks. */
async function read(id: string, last: string | undefined): Promise<string> {
  const headers: HeadersInit = last === undefined ? {} : { "last-event-id": last };
  const response = await fetch(`${url}/api/v1/runs/${id}/events`, { headers }).catch(() => null);
  if (response === null) {
    await new Promise((resolve) => setTimeout(resolve, BACK_AFTER)); // the server is away
    return "";
  }
  if (!response.ok) throw new Error(`Watching ${id} was answered with ${response.status}`);
  let text = "";
  try {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) text += part;
  } catch { /* the server has gone */ }
  return text.slice(0, text.lastIndexOf("\n\n") + 2 || 0);
}
