import type { Target } from "../engine/doors.ts";
import { MaestroError } from "../errors.ts";
import { KEEPALIVE, type KeepaliveRule } from "./channel.ts";
import { closeChannel } from "./channel_insides.ts";
import { chooseChannel } from "./choose_channel.ts";
import { type Connection, type Connector, connectorOf } from "./connection.ts";
import { InFlight } from "./inflight.ts";
import { tlsStamp } from "./tls.ts";

export { type Connection, isConnected } from "./connection.ts";

/** For how long TLS files are taken to be unchanged, in milliseconds. */
const TLS_CHECK_INTERVAL = 1_000;

/** Files of a rotation may be replaced one after the other: read again so many times, after so many milliseconds. */
const TORN: { readonly rereads: number; readonly pause: number } = { rereads: 3, pause: 100 };

/** For how long a replaced channel stays open for calls that are about to start on it, in milliseconds. */
const RETIREMENT = 5_000;

/** For how long closing waits for the calls in flight, in milliseconds. */
const CLOSING_PATIENCE = 2_000;

/** Times that a test may want shorter, in milliseconds. */
export interface PoolTimes {
  readonly keepalive: KeepaliveRule;
  /** What making a connection may take: grpc's connection-backoff.md gives it 20 s, grpc-js for ever. */
  readonly connecting: number;
}

const TIMES: PoolTimes = { keepalive: KEEPALIVE, connecting: 20_000 };

/** One of a target's channels. */
interface Slot {
  connection: Connection;
  /** Since when it has been connecting, as far as was seen. */
  connectingSince: number | null;
}

/** The channels of one target. */
interface Pooled {
  readonly connector: Connector;
  readonly slots: readonly [Slot, ...Slot[]];
  checkedAt: number;
}

/** The channels of each target key, made when they are first asked for, and shared. */
export class ConnectionPool {
  readonly #times: PoolTimes;
  readonly #byKey = new Map<string, Pooled>();
  /** What is being opened, or looked at again. */
  readonly #opening = new Map<string, Promise<Pooled>>();
  /** Replaced channels, which calls may still start on, with the timers that close them. */
  readonly #retired = new Map<Connection, ReturnType<typeof setTimeout>>();
  readonly #inFlight = new InFlight();
  #closed = false;

  constructor(times: Partial<PoolTimes> = {}) {
    this.#times = { ...TIMES, ...times };
  }

  /**
   * The channel for a target's next call, where that can be told at once; it must be counted
   * ({@linkcode Connection.inFlight}) before another is asked for. `undefined`: ask
   * {@linkcode ConnectionPool.connect}.
   */
  connected({ key, service }: Target): Connection | undefined {
    const pooled = this.#byKey.get(key);
    if (pooled === undefined || this.#closed) return undefined;
    if (service.tls !== null && performance.now() - pooled.checkedAt >= TLS_CHECK_INTERVAL) {
      return undefined;
    }
    return this.#choose(pooled);
  }

  /**
   * The channel for a target's next call. TLS channels are made anew when their files have changed.
   *
   * @throws {MaestroError} `USAGE`, where the endpoint or a TLS file can't be used; `ENGINE_CLOSED`
   */
  async connect(target: Target): Promise<Connection> {
    if (this.#closed) throw closing();
    const connection = this.connected(target) ?? this.#choose(await this.#ready(target));
    // Others choose before this one's call has begun, so it is counted from now on.
    if (target.service.pool.channels > 1) holdPlace(connection.inFlight);
    return connection;
  }

  /** Closes every channel, once the calls in flight have ended; those that take too long are cancelled. */
  async close(): Promise<void> {
    this.#closed = true;
    // Calls that have their channel begin now. A channel that was only just asked for, grpc-js would
    // still connect after it is closed.
    await new Promise((resolve) => setTimeout(resolve));
    await this.#inFlight.drain(CLOSING_PATIENCE);
    for (const { slots } of this.#byKey.values()) {
      for (const { connection } of slots) closeChannel(connection.client);
    }
    this.#byKey.clear();
    for (const [{ client }, timer] of this.#retired) {
      clearTimeout(timer);
      closeChannel(client);
    }
    this.#retired.clear();
  }

  #ready(target: Target): Promise<Pooled> {
    const { key } = target;
    const known = this.#opening.get(key);
    if (known !== undefined) return known;
    const pooled = this.#byKey.get(key);
    const opening = pooled === undefined ? this.#open(target) : this.#renew(target, pooled);
    this.#opening.set(key, opening);
    // A failure is not kept.
    const forget = () => this.#opening.delete(key);
    opening.then(forget, forget);
    return opening;
  }

  async #open(target: Target): Promise<Pooled> {
    const connector = await connectorOf(target, this.#times.keepalive, this.#inFlight);
    if (this.#closed) throw closing();
    const slot = (): Slot => ({ connection: connector.open(), connectingSince: null });
    const others = Array.from({ length: target.service.pool.channels - 1 }, slot);
    const pooled: Pooled = { connector, slots: [slot(), ...others], checkedAt: performance.now() };
    this.#byKey.set(target.key, pooled);
    return pooled;
  }

  /** Looks whether TLS files have changed. Until the new ones can be read, the old channels serve others. */
  async #renew(target: Target, pooled: Pooled): Promise<Pooled> {
    const { tls } = target.service;
    pooled.checkedAt = performance.now();
    if (tls === null || await tlsStamp(tls) === pooled.connector.stamp) return pooled;
    for (let left = TORN.rereads;; left--) {
      try {
        const renewed = await this.#open(target);
        for (const { connection } of pooled.slots) this.#retire(connection);
        return renewed;
      } catch (error) {
        if (left === 0 || this.#closed) throw error;
        await new Promise((resolve) => setTimeout(resolve, TORN.pause));
      }
    }
  }

  #choose({ slots, connector }: Pooled): Connection {
    const slot = chooseChannel(slots);
    if (this.#isStuck(slot)) {
      this.#retire(slot.connection);
      slot.connection = connector.open();
      slot.connectingSince = null;
    }
    return slot.connection;
  }

  /** Whether a peer accepts connections and then says nothing: a new connection may fare better. */
  #isStuck(slot: Slot): boolean {
    const { grpc: { connectivityState }, client } = slot.connection;
    switch (client.getChannel().getConnectivityState(false)) {
      case connectivityState.IDLE: // the call that this is for makes it connect
        slot.connectingSince = performance.now();
        return false;
      case connectivityState.CONNECTING:
        slot.connectingSince ??= performance.now();
        return performance.now() - slot.connectingSince >= this.#times.connecting;
      default:
        slot.connectingSince = null;
        return false;
    }
  }

  /** grpc-js lets calls in flight finish on a closed channel, but calls about to start would fail. */
  #retire(connection: Connection): void {
    const timer = setTimeout(() => {
      this.#retired.delete(connection);
      closeChannel(connection.client);
    }, RETIREMENT);
    timer.unref();
    this.#retired.set(connection, timer);
  }
}

function closing(): MaestroError {
  return new MaestroError("ENGINE_CLOSED", "Cannot call services: Maestro is closing");
}

/** Counts a call that is about to begin, until it has had its chance to. */
function holdPlace(inFlight: InFlight): void {
  const call = { cancel() {} };
  inFlight.begin(call);
  setTimeout(() => inFlight.end(call));
}
