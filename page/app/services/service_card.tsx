import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { ServiceView } from "../../../src/server/operations.ts";
import { steerService } from "../api/api.ts";
import { serviceAddress } from "../router.ts";
import { Allowed } from "../ui/allowed.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { duration } from "../ui/duration.ts";
import { now } from "../ui/time.tsx";
import { attempt } from "../ui/toasts.tsx";
import { WindowBar } from "./window_bar.tsx";

const STATES: Readonly<Record<ServiceView["state"], string>> = {
  closed: "closed",
  open: "open",
  half_open: "half-open",
  forced_open: "forced open",
};

/** One service: its breaker, what went through it, and what an operator may do. */
export function ServiceCard({ service, twins, onChange }: {
  readonly service: ServiceView;
  /** How many others have the same name and endpoint: other settings have a breaker of their own. */
  readonly twins: number;
  readonly onChange: () => void;
}): VNode {
  const { id, state, endpoint, method, open_until, waiting, in_flight, queued, calls, serving } =
    service;
  const isAsking = useSignal(false);
  const name = method === null ? service.service : `${service.service} · ${method}`;
  const steer = async (verb: "forceOpen" | "reset", said: string) => {
    isAsking.value = false;
    if (await attempt(() => steerService(id, verb), said)) onChange();
  };
  return (
    <li class="card service">
      <div class="card-head">
        <h2 class="ellipsis" title={name}>
          <a href={serviceAddress(service.service)}>{name}</a>
        </h2>
        <span class={`badge breaker-${state}`}>
          <span class="badge-dot" aria-hidden="true" />
          {STATES[state]}
        </span>
      </div>
      <p class="muted id">{endpoint}</p>
      {twins > 0 && (
        <p class="muted">
          One of {twins + 1} for different settings: <span class="id">{id}</span>
        </p>
      )}
      <p class={serving === false ? "health is-bad" : "health muted"}>{healthOf(serving)}</p>
      {open_until !== null && (
        <p class="muted health">Trial calls in {duration(Date.parse(open_until) - now.value)}</p>
      )}
      <WindowBar window={service.window} />
      <dl class="figures">
        <Figure name="calls" value={number.format(calls.made)} />
        <Figure name={`errors${shareOf(calls)}`} value={number.format(calls.failed)} />
        <Figure name="median" value={duration(calls.p50_ms)} />
        <Figure name="slowest 1 %" value={duration(calls.p99_ms)} />
        <Figure name="in flight" value={String(in_flight)} />
        <Figure name="queued" value={String(queued)} />
        <Figure name="held by breaker" value={String(waiting)} />
      </dl>
      <div class="actions">
        <Allowed needed="admin" what="force it open or reset it">
          {state !== "forced_open" && (
            <button
              type="button"
              class="button button-danger button-small"
              aria-label={`Force open ${name}`}
              onClick={() => isAsking.value = true}
            >
              Force open
            </button>
          )}
          <button
            type="button"
            class="button button-small"
            aria-label={`Reset ${name}`}
            onClick={() => steer("reset", `The breaker of ${name} is closed`)}
          >
            Reset
          </button>
        </Allowed>
      </div>
      {isAsking.value && (
        <Confirm
          title={`Force ${name} open?`}
          verb="Force open"
          danger
          onConfirm={() => steer("forceOpen", `The breaker of ${name} is forced open`)}
          onClose={() => isAsking.value = false}
        >
          <p>
            {twins === 0
              ? "No run of this server calls it any more, until the breaker is reset."
              : "Runs whose workflows have these settings call it no more, until the breaker is reset. " +
                "Those with other settings go on: force their breakers open, too, to hold back all."}
          </p>
        </Confirm>
      )}
    </li>
  );
}

const number = new Intl.NumberFormat();

/** How many of a hundred calls failed. */
function shareOf({ made, failed }: ServiceView["calls"]): string {
  return failed === 0 ? "" : `, ${percent.format(failed / made)}`;
}

const percent = new Intl.NumberFormat(undefined, { style: "percent" });

function healthOf(serving: boolean | null): string {
  if (serving === null) return "Its health is not watched";
  return serving ? "Says that it serves" : "Says that it does not serve";
}

function Figure({ name, value }: { readonly name: string; readonly value: string }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{value}</dd>
    </div>
  );
}
