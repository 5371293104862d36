import type { PlannedContainer, SparkPlan } from "../../schema/plan.ts";

/** A table of a plan, ready to print: a heading, column names, rows of as many cells. */
export interface PlanSection {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const gib = (mib: number): string => (mib % 1024 === 0 ? `${mib / 1024} GiB` : `${mib} MiB`);

function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(" ");
}

/** The heap that a container's JVM really gets: what its command says. */
const heap = ({ command }: PlannedContainer): string =>
  command.find((word) => /^-Xmx\d+m$/.test(word))?.slice(4, -1) ?? "";

const disk = (scratch: SparkPlan["workers"]["scratch"]): string =>
  `${gib(scratch.size)} ${scratch.kind === "emptyDir" ? "emptyDir" : scratch.storageClass}`;

/** Tables that show the whole plan: the run, its containers, the memory of each, and the totals. */
export function describePlan(plan: SparkPlan): PlanSection[] {
  const { coordinator, workers, placed, deadlines, quota } = plan;
  const containers = [
    {
      pod: coordinator.name,
      pods: 1,
      container: coordinator.master,
      pool: placed.coordinatorPool ?? placed.pool,
    },
    {
      pod: coordinator.name,
      pods: 1,
      container: coordinator.driver,
      pool: placed.coordinatorPool ?? placed.pool,
    },
    { pod: workers.name, pods: workers.count, container: workers.container, pool: placed.pool },
  ];
  const run: (readonly string[])[] = [
    ["run", `${plan.run}, attempt ${plan.attempt}`],
    ["job", `${plan.job} of tenant ${plan.tenant}`],
    ["engine", `${plan.engine} ${plan.version}, image ${plan.image.reference}`],
    ["namespace", plan.namespace],
    ["zone", `${placed.zone} of environment ${plan.environment}`],
    ["workers on", `${placed.pool} (${placed.instanceType}, ${placed.spot ? "spot" : "on-demand"})`],
    ["scratch", `${disk(workers.scratch)} per pod`],
    [
      "deadlines",
      `run ${duration(deadlines.run)}, pending ${duration(deadlines.pending)}, image ${duration(deadlines.image)}, start ${duration(deadlines.start)}`,
    ],
    [
      "in all",
      `${quota.pods} pods, ${quota.cpu}m CPU, ${gib(quota.memory)} memory, ${gib(quota.scratch)} disk`,
    ],
    ["output", plan.output.locations.length === 0 ? "not named" : plan.output.locations.join(", ")],
    [
      "cost",
      plan.cost === undefined
        ? "no price known"
        : `about ${plan.cost.perHour.toFixed(4)} ${plan.cost.currency} per hour (prices of ${plan.cost.asOf})`,
    ],
  ];
  return [
    { title: "Run", columns: ["what", "value"], rows: run },
    {
      title: "Containers",
      columns: ["pod", "pods", "container", "cpu", "memory", "heap", "disk", "pool"],
      rows: containers.map(({ pod, pods, container, pool }) => [
        pod,
        String(pods),
        container.name,
        `${container.cpu}m`,
        `${container.memory} MiB`,
        `${container.name === "worker" ? (container.memoryParts[0]?.mib ?? 0) : heap(container)} MiB`,
        `${container.disk} MiB`,
        pool,
      ]),
    },
    {
      title: "Memory",
      columns: ["container", "MiB", "for"],
      rows: containers.flatMap(({ container }) => [
        ...container.memoryParts.map(({ what, mib }) => [container.name, String(mib), what]),
        [container.name, String(container.memory), "limit"],
      ]),
    },
  ];
}
