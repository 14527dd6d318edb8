import { MaestroError } from "../../errors.ts";
import { formatDuration } from "../../workflow/durations.ts";
import type { Reads } from "./api.ts";

/** How a server is waited for. Times are in milliseconds. */
export interface Patience {
  /** Hears why it can't be asked, and `null` once it can again. */
  readonly onAway: (why: string | null) => void;
  /** How long it may be away: longer than a restart takes. @default 2 minutes */
  readonly atMost?: number;
  /** How soon it is asked again. @default 1 s */
  readonly every?: number;
}

/** Reads that wait for a server that is away for a while: it is restarted, say, and its runs go on then. */
export function patient(api: Reads, { onAway, atMost = 120_000, every = 1_000 }: Patience): Reads {
  let awaySince: number | null = null;
  return {
    async get(path, query) {
      for (;;) {
        try {
          const answer = await api.get<never>(path, query); // as its schema says
          if (awaySince !== null) onAway(null);
          awaySince = null;
          return answer;
        } catch (thrown) {
          const { code, message } = MaestroError.from(thrown);
          if (code !== "STORE_FAILED") throw thrown;
          if (awaySince === null) onAway(message);
          awaySince ??= Date.now();
          if (Date.now() - awaySince >= atMost) {
            throw new MaestroError(code, `${message}; tried for ${formatDuration(atMost)}`);
          }
          await new Promise((resolve) => setTimeout(resolve, every));
        }
      }
    },
  };
}
