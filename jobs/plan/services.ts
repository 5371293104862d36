import type { JobSpec } from "../../schema/job.ts";
import type { PlannedContainer, PlannedService } from "../../schema/plan.ts";
import type { Service } from "../../schema/services.ts";
import { LOGS_MIB, TEMPORARY_MIB } from "./disk.ts";
import { podSize, type ServiceSize } from "./fit.ts";
import { mib, millicores, seconds } from "./quantities.ts";
import { literal } from "./text.ts";

/** Seconds for a replica to end the calls that it has. */
const GRACE = 30;

/** The services of a job; most have none. */
export const servicesOf = (spec: JobSpec): readonly Service[] => ("services" in spec ? spec.services : []);

/** The container of a service's pods. It gets no secret of the run and no S3 identity. */
export const serviceContainer = (service: Service): PlannedContainer => ({
  name: "service",
  cpu: millicores(service.cpu, 1),
  memory: mib(service.memory),
  memoryParts: [{ what: `service ${service.name}`, mib: mib(service.memory) }],
  disk: LOGS_MIB + TEMPORARY_MIB,
  command: [...service.command, ...service.arguments].map(literal),
  env: Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, literal(value)])),
  secretEnv: [],
  ports: [{ name: "http", port: service.port }],
});

/** Sizes of all services, for quota and placement. */
export const serviceSizes = (spec: JobSpec): ServiceSize[] =>
  servicesOf(spec).map((service) => ({
    name: service.name,
    pod: podSize([serviceContainer(service)]),
    min: service.replicas.min,
    max: service.replicas.max,
  }));

/** A number as a Kubernetes quantity. */
const quantity = (value: number): string =>
  Number.isInteger(value) ? String(value) : `${Math.ceil(value * 1000)}m`;

function scaling({ replicas, scaleOn }: Service): Pick<PlannedService, "scaleOn"> {
  if (replicas.min === replicas.max) return {};
  switch (scaleOn.kind) {
    case "cpu":
      return { scaleOn: { kind: "cpu", percent: Number(scaleOn.target.replace("%", "")) } };
    case "metric":
      return { scaleOn: { kind: "metric", name: scaleOn.name, quantity: quantity(scaleOn.target) } };
  }
}

/**
 * A job's services, ready to be written down.
 * @param image The job's, for services that name none.
 */
export const plannedServices = (
  spec: JobSpec,
  image: PlannedService["image"],
  placement: PlannedService["placement"],
): PlannedService[] =>
  servicesOf(spec).map((service) => ({
    name: service.name,
    image: service.image === undefined ? image : { reference: service.image, pullPolicy: "IfNotPresent" },
    container: serviceContainer(service),
    port: service.port,
    ...(service.ready === undefined ? {} : { readyPath: service.ready.path }),
    temporary: TEMPORARY_MIB,
    placement,
    gracePeriod: GRACE,
    replicas: { ...service.replicas, calm: seconds(service.replicas.calm) },
    ...scaling(service),
  }));

/** What people should know about a job's services. */
export const serviceNotes = (spec: JobSpec): string[] =>
  servicesOf(spec).flatMap(({ name, scaleOn, replicas }) =>
    scaleOn.kind === "metric" && replicas.max > replicas.min
      ? [
          `Service ${name} follows the metric ${scaleOn.name}: it stays at ${replicas.min} unless an adapter in the cluster serves that at custom.metrics.k8s.io.`,
        ]
      : [],
  );
