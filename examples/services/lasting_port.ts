// Ports for programs that are killed and started again where they were.

/** Below the ports that Linux and macOS give to whoever asks for any. */
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 100;

/**
 * A free port on 127.0.0.1 that stays free while its program is down. One that the system chose
 * would not: it gives the same ones to outgoing connections, those of the waiting clients included.
 */
export function lastingPort(): number {
  for (let attempt = 1;; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || attempt === ATTEMPTS) throw error;
    }
  }
}
