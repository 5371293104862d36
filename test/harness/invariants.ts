import { z } from "zod";
import { containersOf, PodSpec, restrictedViolations } from "./pod-security.ts";
import type { Graph, Registration } from "./record.ts";

/** The pod specs in a graph, by the name of the resource that holds them. */
export function podSpecs(graph: Graph): Map<string, PodSpec> {
  const Workload = z.looseObject({ spec: z.looseObject({ template: z.looseObject({ spec: PodSpec }) }) });
  return new Map(
    graph.resources.flatMap(({ name, inputs }) => {
      const workload = Workload.safeParse(inputs);
      return workload.success ? [[name, workload.data.spec.template.spec] as const] : [];
    }),
  );
}

const Metadata = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
});

const isProvider = ({ type }: Registration): boolean => type.startsWith("pulumi:providers:");
const isKubernetes = ({ type }: Registration): boolean => type.startsWith("kubernetes:");
const isAws = ({ type }: Registration): boolean => type.startsWith("aws:");

/** A component whose program is in a plugin: neither its type nor its sealing is ours. */
const isRemote = ({ type }: Registration): boolean => type === "eks:index:Cluster";

/** What every graph of ours must fulfil; one line for each breach. */
export function graphProblems(graph: Graph): string[] {
  return [
    ...graph.resources.filter(isKubernetes).flatMap(kubernetesProblems),
    ...graph.resources.filter(isAws).flatMap(placeProblems),
    ...graph.resources.filter(isRemote).flatMap(remoteProblems),
    ...graph.resources
      .filter((one) => !one.custom && !isRemote(one))
      .flatMap((one) => componentProblems(one, graph)),
    ...graph.resources.flatMap(nameProblems),
    ...[...podSpecs(graph)]
      .filter(([name]) => roleOf(graph.get(name)) !== "platform")
      .flatMap(([name, pod]) => podProblems(name, pod)),
  ];
}

const roleOf = ({ inputs }: Registration): string | undefined =>
  Metadata.safeParse(inputs).data?.metadata.labels["mayfly.dev/role"];

/** What says whose an object is: of the environment as a whole, or of one tenant. */
const OWNERS = { platform: ["mayfly.dev/environment", "mayfly.dev/class"], others: ["mayfly.dev/tenant"] };

/** Without a provider of its own a resource would go wherever the machine's credentials lead, and without our default tags. */
function placeProblems({ name, provider, parent }: Registration): string[] {
  return [
    ...(provider === undefined ? [`${name}: no explicit provider`] : []),
    ...(parent === undefined ? [`${name}: no component is its parent`] : []),
  ];
}

/** The SDK hands a remote component only the provider of its own package, unless it is given others by name. */
const remoteProblems = (resource: Registration): string[] => [
  ...placeProblems(resource),
  ...(resource.providers.includes("aws") ? [] : [`${resource.name}: no provider for what it makes in AWS`]),
];

function kubernetesProblems(resource: Registration): string[] {
  const { name, inputs, type } = resource;
  const problems = placeProblems(resource);
  // A chart labels its own objects, and a patch changes objects of others.
  if (type.startsWith("kubernetes:helm.sh/") || type.endsWith("Patch")) return problems;
  const object = Metadata.safeParse(inputs);
  if (!object.success) return [...problems, `${name}: no metadata.name`];
  const owner = OWNERS[roleOf(resource) === "platform" ? "platform" : "others"];
  for (const label of ["app.kubernetes.io/managed-by", "mayfly.dev/role", ...owner]) {
    if (object.data.metadata.labels[label] === undefined) problems.push(`${name}: no label ${label}`);
  }
  return problems;
}

function componentProblems({ name, type }: Registration, graph: Graph): string[] {
  return [
    ...(/^mayfly:[a-z]+:[A-Z]\w+$/.test(type)
      ? []
      : [`${name}: type ${type} is not mayfly:<folder>:<Class>`]),
    ...(graph.sealed.has(name) ? [] : [`${name}: did not seal itself with outputs`]),
  ];
}

const nameProblems = (resource: Registration): string[] => {
  const { name, parent } = resource;
  if (isProvider(resource) || parent === undefined || name.startsWith(`${parent}-`)) return [];
  return [`${name}: does not begin with its parent's name ${parent}`];
};

function podProblems(owner: string, pod: PodSpec): string[] {
  const problems = restrictedViolations(pod).map((problem) => `${owner}: Pod Security: ${problem}`);
  const unless = (fine: boolean, problem: string): void => {
    if (!fine) problems.push(`${owner}: ${problem}`);
  };
  unless(pod.automountServiceAccountToken === false, "mounts a service account token");
  unless(pod.enableServiceLinks === false, "service links are on");
  // Accounts of components/run/access.ts, whose pods have their token in a volume that says so.
  const talks = pod.volumes.some(({ name }) => name === "kubernetes-api");
  unless(
    talks
      ? ["coordinator", "workers"].includes(pod.serviceAccountName ?? "")
      : pod.serviceAccountName === "runner",
    "runs under another service account than runner",
  );
  unless(pod.hostUsers !== true, "hostUsers is on");
  for (const { name, resources, securityContext } of containersOf(pod)) {
    for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
      const { requests, limits } = resources;
      const limit = limits[resource];
      unless(
        limit !== undefined && limit === requests[resource],
        `${name}: ${resource} request and limit differ`,
      );
    }
    unless(securityContext["readOnlyRootFilesystem"] === true, `${name}: can write to its image`);
  }
  const EmptyDir = z.looseObject({
    emptyDir: z.looseObject({ sizeLimit: z.string().optional(), medium: z.string().optional() }),
  });
  for (const volume of pod.volumes) {
    const { data } = EmptyDir.safeParse(volume);
    if (data === undefined) continue;
    unless(data.emptyDir.sizeLimit !== undefined, `volume ${volume.name}: no size limit`);
    unless(data.emptyDir.medium !== "Memory", `volume ${volume.name}: in memory`);
  }
  return problems;
}
