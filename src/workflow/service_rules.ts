/** The rules that calls to one service go by, defaults filled in. @module */

/** The budget of retries: the throttle of gRPC A6 (semantics.md §1). */
export interface BudgetRule {
  /** What it starts with, and its most; a retry needs more than half. Default 100, at most 1,000 in A6. */
  readonly maxTokens: number;
  /** What a success gives back; a retryable failure takes 1. Default 0.1. */
  readonly tokenRatio: number;
}

/** The calls to one service that are under way at a time. */
export interface PoolRule {
  /** Connections. Default 1. */
  readonly channels: number;
  /** Calls under way, over all connections; further ones queue. Default 100: what most servers take on one. */
  readonly maxConcurrent: number;
}

/** At most so many calls begin in any stretch of time of this length. */
export interface RateRule {
  /** The most of them, at least 1. */
  readonly calls: number;
  /** In milliseconds. */
  readonly per: number;
}

/** What is asked of `grpc.health.v1.Health/Watch`. */
export interface HealthRule {
  /** The name to ask for. Default `""`: the server as a whole. */
  readonly service: string;
}

/** Files are read again for every new connection; values may hold `.env` and `.secrets` expressions. */
export interface TlsRule {
  /** A PEM file of the authorities to trust; `null`: the runtime's own. */
  readonly ca: string | null;
  /** A PEM file of this side's certificate, for mutual TLS; `null` together with `key`. */
  readonly cert: string | null;
  /** A PEM file of the certificate's private key. */
  readonly key: string | null;
  /** The name that the server's certificate must carry; `null`: the endpoint's host. */
  readonly serverName: string | null;
}

/** When calls to a service are held back (semantics.md §2). Rates are percentages. */
export interface BreakerRule {
  /** The share of failures in the window that opens it. Default 50, as resilience4j's. */
  readonly failureRate: number;
  /** Calls in the window before a rate counts. Default 10. */
  readonly minCalls: number;
  /** What rates are taken over: the last so many milliseconds, or calls. Default 60,000 ms. */
  readonly window:
    | { readonly kind: "time"; readonly milliseconds: number }
    | { readonly kind: "count"; readonly calls: number };
  /** How long it stays open the first time, in milliseconds. Default 15,000. */
  readonly openFor: number;
  /** The most that failed trials double that to, in milliseconds. Default 120,000 or `openFor`. */
  readonly maxOpenFor: number;
  /** Trial calls after that, all of which must succeed for it to close. Default 1. */
  readonly halfOpenCalls: number;
  /** A call that takes at least this long is slow, in milliseconds. Default `null`: none is. */
  readonly slowCall: number | null;
  /** The share of slow calls in the window that opens it. Default 100, as resilience4j's. */
  readonly slowCallRate: number;
  /** The gRPC codes that are failures. Default empty: those of semantics.md §2. */
  readonly failureCodes: readonly string[];
  /** Whether a step waits until it may call, or fails as `CIRCUIT_OPEN`. Default `wait`. */
  readonly onOpen: "wait" | "fail";
  /** One breaker for the service, or one for each of its methods. Default `service`. */
  readonly scope: "service" | "method";
}
