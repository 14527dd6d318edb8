/** Kills the process so many microseconds after it was told to, whatever the main thread is at. */
import { die } from "./deadly_journal.ts";

/** What a worker has of its global scope. */
interface WorkerScope {
  onmessage: (event: MessageEvent<Int32Array<SharedArrayBuffer>>) => void;
  postMessage(message: string): void;
}

const scope = self as unknown as WorkerScope; // its types are the window's here
scope.onmessage = ({ data: flag }) => {
  Atomics.wait(flag, 0, 0);
  const until = performance.now() + (Atomics.load(flag, 0) - 1) / 1_000;
  while (performance.now() < until);
  die();
};
scope.postMessage("ready");
