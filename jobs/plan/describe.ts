import type { Plan, PlannedContainer, PlannedService, SparkPlan } from "../../schema/plan.ts";

const gib = (mib: number): string => (mib % 1024 === 0 ? `${mib / 1024} GiB` : `${mib} MiB`);

function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(" ");
}

const disk = (scratch: SparkPlan["workers"]["scratch"]): string =>
  `${gib(scratch.size)} ${scratch.kind === "emptyDir" ? "emptyDir" : scratch.storageClass} in each pod`;

/** A container's row, and one for each part of its memory, so that the sum can be followed. */
const containerRows = (
  name: string,
  { cpu, memory, memoryParts, disk: mib }: PlannedContainer,
): [string, string][] => [
  [name, `${cpu}m CPU, ${memory} MiB memory, ${mib} MiB disk`],
  ...memoryParts.map(({ what, mib: part }): [string, string] => [
    "",
    `  ${String(part).padStart(String(memory).length)} MiB ${what}`,
  ]),
];

/** A service's pods, and by what their number goes. */
function serviceRow({ name, port, container, replicas, scaleOn }: PlannedService): [string, string] {
  const by =
    scaleOn === undefined
      ? ""
      : `, by ${scaleOn.kind === "cpu" ? `CPU of ${scaleOn.percent} %` : `metric ${scaleOn.name} of ${scaleOn.quantity}`}`;
  const many = replicas.min === replicas.max ? `${replicas.min}` : `${replicas.min} to ${replicas.max}`;
  return [
    `service/${name} × ${many}`,
    `${container.cpu}m CPU, ${container.memory} MiB memory, ${container.disk} MiB disk${by}; http://${name}:${port}`,
  ];
}

/** A plan as rows of name and value, for a table without borders. */
export function describePlan(plan: Plan): (readonly [string, string])[] {
  const { coordinator, workers, placed, deadlines, quota, cost, output } = plan;
  const pool = `${placed.pool} (${placed.instanceType}, ${placed.spot ? "spot" : "on-demand"})`;
  return [
    ["job", `${plan.job} of tenant ${plan.tenant}, run ${plan.run}, attempt ${plan.attempt}`],
    ["engine", `${plan.engine} ${plan.version}, image ${plan.image.reference}`],
    ["where", `environment ${plan.environment}, zone ${placed.zone}, namespace ${plan.namespace}`],
    [
      "pool",
      placed.coordinatorPool === undefined ? pool : `workers ${pool}, coordinator ${placed.coordinatorPool}`,
    ],
    ...[...coordinator.sidecars, coordinator.driver].flatMap((container) =>
      containerRows(`coordinator/${container.name}`, container),
    ),
    ...containerRows(`worker × ${workers.count}`, workers.container),
    ...(plan.services ?? []).map(serviceRow),
    ["scratch", disk(workers.scratch)],
    [
      "in all",
      `${quota.pods} pods, ${quota.cpu}m CPU, ${gib(quota.memory)} memory, ${gib(quota.scratch)} disk`,
    ],
    [
      "deadlines",
      `run ${deadlines.run === undefined ? "none" : duration(deadlines.run)}; a pod pending ${duration(deadlines.pending)}, ` +
        `pulling ${duration(deadlines.image)}, starting ${duration(deadlines.start)}`,
    ],
    ...(output.locations.length === 0 ? [] : [["output", output.locations.join(", ")] as const]),
    ...(output.eventLog === undefined ? [] : [["event log", output.eventLog] as const]),
    ["logs", `s3://${plan.logs.bucket}/${plan.logs.prefix}`],
    [
      "cost",
      cost === undefined
        ? "not known: the pool has no price"
        : `about ${cost.perHour.toFixed(4)} ${cost.currency} per hour, by prices of ${cost.asOf}`,
    ],
  ];
}
