/** What is done on a signal. */
export interface SignalHandlers {
  /** Ctrl-C. */
  readonly interrupt: () => void;
  /** SIGTERM, as from a process manager. */
  readonly terminate: () => void;
}

/** Takes Ctrl-C and SIGTERM from the platform; the returned function gives them back. */
export function onSignals({ interrupt, terminate }: SignalHandlers): () => void {
  Deno.addSignalListener("SIGINT", interrupt);
  const canTerminate = Deno.build.os !== "windows"; // which knows no SIGTERM
  if (canTerminate) Deno.addSignalListener("SIGTERM", terminate);
  return () => {
    Deno.removeSignalListener("SIGINT", interrupt);
    if (canTerminate) Deno.removeSignalListener("SIGTERM", terminate);
  };
}
