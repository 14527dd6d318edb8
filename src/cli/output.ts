import { whyUnreadable } from "../workflow/unreadable.ts";

/** Where a program's text goes; a reader that has gone away is no error. */
export interface Output {
  /** Writes all of it before it returns. */
  write(text: string): void;
  /** Writes all of it while other things go on: its reader may hang. Not to be mixed with {@linkcode Output.write}. */
  writeBehind(text: string): Promise<void>;
  readonly isTerminal: boolean;
  /** Whether what is written may be coloured. */
  readonly colour: boolean;
  /** In columns; 80 where there is no terminal. */
  width(): number;
  /** Why something could not be written, other than that nobody reads any more; `null`: all was. */
  failure(): string | null;
  /** Nobody reads any more, or it can't be written. */
  isGone(): boolean;
  /** In rows; 24 where there is no terminal. */
  height(): number;
}

const encoder = new TextEncoder();

/** Standard output or error. */
export function standardOutput(stream: typeof Deno.stdout | typeof Deno.stderr): Output {
  const isTerminal = stream.isTerminal() && Deno.env.get("TERM") !== "dumb";
  let gone = false;
  let failure: string | null = null;
  // Whatever is under way goes on: a run does not depend on who watches it.
  const fail = (thrown: unknown) => {
    gone = true;
    if (!(thrown instanceof Deno.errors.BrokenPipe)) failure = whyUnreadable(thrown);
  };
  return {
    isTerminal,
    colour: isTerminal && !Deno.noColor,
    width: () => sizeOf(isTerminal).columns,
    failure: () => failure,
    isGone: () => gone,
    height: () => sizeOf(isTerminal).rows,
    write(text) {
      if (gone) return;
      try {
        writeAll(stream, encoder.encode(text));
      } catch (thrown) {
        fail(thrown);
      }
    },
    async writeBehind(text) {
      const bytes = encoder.encode(text);
      try {
        for (let at = 0; !gone && at < bytes.length;) at += await stream.write(bytes.subarray(at));
      } catch (thrown) {
        fail(thrown);
      }
    },
  };
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.WouldBlock)) throw thrown;
      pause(); // a pipe that someone made non-blocking, and that is full
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

function sizeOf(isTerminal: boolean): { columns: number; rows: number } {
  const usual = { columns: 80, rows: 24 };
  try {
    const size = isTerminal ? Deno.consoleSize() : usual;
    return size.columns > 0 ? size : usual;
  } catch {
    return usual; // a terminal without a size
  }
}
