import type { VNode } from "preact";
import { listServices } from "../api/api.ts";
import { useRefreshEvery, useResource } from "../api/resource.ts";
import { Empty, Loading, Problem } from "../ui/notices.tsx";
import { PageTitle } from "../ui/page_title.tsx";
import { ServiceCard } from "./service_card.tsx";

/** The services that runs have reached, and how their breakers stand. */
export function ServicesPage(): VNode {
  const services = useResource("services", listServices);
  useRefreshEvery(services, 1_500);
  const { data, error } = services;
  return (
    <>
      <div class="page-head">
        <PageTitle name="Services" />
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
        : (
          <ul class="cards">
            {data.value.map((one) => (
              <ServiceCard key={one.id} service={one} onChange={services.refresh} />
            ))}
          </ul>
        )}
    </>
  );
}
