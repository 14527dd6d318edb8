import type { VNode } from "preact";
import type { ServiceView } from "../../../src/server/operations.ts";
import { listServices } from "../api/api.ts";
import { useRefreshEvery, useResource } from "../api/resource.ts";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { here } from "../router.ts";
import { PageTitle } from "../ui/page_title.tsx";
import { ServiceCard } from "./service_card.tsx";

/** The services that runs have reached, and how their breakers stand. */
export function ServicesPage(): VNode {
  const services = useResource("services", listServices);
  useRefreshEvery(services, 1_500);
  const { data, error } = services;
  const wanted = here.value.query.get("service");
  const shown = data.value?.filter(({ service }) => wanted === null || service === wanted) ?? [];
  return (
    <>
      <div class="page-head">
        <PageTitle name={wanted === null ? "Services" : `Service ${wanted}`} />
        {wanted !== null && <a class="button" href="/services">Show all services</a>}
      </div>
      {error.value !== null && <Problem error={error.value} onRetry={services.refresh} />}
      {data.value === null
        ? error.value === null && <Loading what="services" />
        : data.value.length === 0
        ? (
          <Empty title="No service has been called yet">
            <p>A service is here once a run has reached it since the server started.</p>
          </Empty>
        )
        : shown.length === 0
        ? (
          <Empty title="No run has called this service yet">
            <p>A service is here once a run has reached it since the server started.</p>
          </Empty>
        )
        : (
          <ul class="cards">
            {shown.map((one) => (
              <ServiceCard
                key={one.id}
                service={one}
                twins={shown.filter((other) => isTwin(one, other)).length - 1}
                onChange={services.refresh}
              />
            ))}
          </ul>
        )}
    </>
  );
}

/** Whether nobody could tell them apart by what they are called. */
function isTwin(one: ServiceView, other: ServiceView): boolean {
  return one.service === other.service && one.endpoint === other.endpoint &&
    one.method === other.method;
}
