/** What services and operators do: the same for the same key, whoever asks. */

/** Uniform in [0, 1), by mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash;
}

/** How one attempt comes out. */
export interface Reply {
  /** `OK`, or a code; `HANG`: it is never answered. */
  readonly code: string;
  /** It provably never left. */
  readonly unsent: boolean;
  /** In milliseconds. So many that no two happen in the same one. */
  readonly duration: number;
}

/** What an operator decides about something parked. */
export type Decision = "retry" | "input" | "skip" | "abort";

/** About a compensation. */
export const UNDO_CHOICES = ["retry", "retry", "retry", "input", "skip", "abort"] as const;
/** About a call past the pivot. */
export const RETRY_CHOICES = ["retry", "retry", "retry", "skip", "skip", "abort"] as const;
/** About a block past the pivot, and what would fail again. */
export const SKIP_CHOICES = ["skip", "skip", "abort"] as const;

/** Everybody outside, in one case. */
export class Outside {
  /** @param risk how likely an action fails for good */
  constructor(readonly seed: number, readonly risk: number, readonly calm: ReadonlySet<string>) {}

  /** The reply to an attempt, by its idempotency key and number. */
  reply(key: string, attempt: number): Reply {
    const code = this.#codes(key)[attempt - 1] ?? this.#codes(key).at(-1) ?? "OK";
    const random = randomOf(hashOf(`${this.seed}/${key}/${attempt}`));
    return {
      code: code === "UNSENT" ? "UNAVAILABLE" : code,
      unsent: code === "UNSENT",
      duration: 1 + Math.floor(random() * 500_000_000),
    };
  }

  /** What an operator decides, the nth time that the same call or block is parked. */
  decision(key: string, nth: number, choices: readonly Decision[]): Decision {
    const random = randomOf(hashOf(`${this.seed}/decide/${key}/${nth}`));
    const others = choices.filter((choice) => choice !== "retry");
    const allowed = nth < 2 || others.length === 0 ? choices : others; // once it has had enough
    return allowed[Math.floor(random() * allowed.length)] ?? "skip";
  }

  /** The replies to the attempts of a key; the last one goes for all that follow. */
  #codes(key: string): readonly string[] {
    const random = randomOf(hashOf(`${this.seed}/${key}`));
    random();
    const pick = <T>(...items: T[]): T => items[Math.floor(random() * items.length)] as T; // never none
    const op = key.slice(key.lastIndexOf("/") + 1).replace(/#.*/, "");
    const step = key.split("/").at(-2)?.split(".").at(-1) ?? "";
    if (op === "verify") {
      return [
        ...pick([], [], ["INTERNAL"], ["HANG"], ["UNSENT", "ABORTED"], ["PERMISSION_DENIED"]),
        pick("OK", "NOT_FOUND"),
      ];
    }
    if (op === "compensate") {
      return [
        ...pick(
          [],
          [],
          [],
          ["INTERNAL"],
          ["UNSENT", "FAILED_PRECONDITION"],
          ["HANG"],
          ["PERMISSION_DENIED"],
          ["UNKNOWN", "INVALID_ARGUMENT"],
        ),
        pick("OK", "OK", "OK", "NOT_FOUND"),
      ];
    }
    if (this.calm.has(step)) return ["OK"];
    if (random() < this.risk) {
      return pick(
        ["FAILED_PRECONDITION"],
        ["UNSENT"],
        ["INTERNAL"],
        ["UNAVAILABLE"],
        ["HANG"],
        ["UNAVAILABLE", "NOT_FOUND"],
        ["UNSENT", "ALREADY_EXISTS"],
        ["UNSENT", "HANG", "INTERNAL"],
      );
    }
    return pick(["OK"], ["OK"], ["UNAVAILABLE", "OK"], ["UNSENT", "OK"], ["HANG", "OK"]);
  }
}
