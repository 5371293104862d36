import { isKubernetesObject, isKubernetesPatch, type ResourceView } from "./resource.ts";
import { isUnknown, items, read } from "./values.ts";

/** A pod, or the template of pods, in an object of any kind. */
export interface PodView {
  /** Where it is in the object, such as `spec.template.spec`. */
  readonly path: string;
  readonly spec: unknown;
  /** Labels of the template. */
  readonly labels: unknown;
  /** Says only what it changes of pods that somebody else describes. */
  readonly partial: boolean;
}

export interface ContainerView {
  readonly path: string;
  /** Its name, for messages. */
  readonly name: string;
  readonly container: unknown;
}

/** Where kinds keep their pods. Extensions that make pods are not looked into, except by {@link hasPods}'s caller's own knowledge. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ["template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  DaemonSet: ["spec", "template"],
  Deployment: ["spec", "template"],
  Job: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  StatefulSet: ["spec", "template"],
};

/** Groups of Kubernetes itself. */
const GROUPS = /^kubernetes:(core|apps|batch)\/v1:/;

const templateOf = ({ type }: Pick<ResourceView, "type">): readonly string[] | undefined =>
  GROUPS.test(type) ? TEMPLATES[(type.split(":").at(-1) ?? "").replace(/Patch$/, "")] : undefined;

export const hasPods = (resource: Pick<ResourceView, "type">): boolean =>
  (isKubernetesObject(resource) || isKubernetesPatch(resource)) && templateOf(resource) !== undefined;

/** The pods of an object; none where it has none, or where they are not known. */
export function podsOf(resource: Pick<ResourceView, "type" | "props">): readonly PodView[] {
  const steps = templateOf(resource);
  if (steps === undefined) return [];
  const template = read(resource.props, ...steps);
  const spec = read(template, "spec");
  if (isUnknown(spec) || spec === undefined) return [];
  return [
    {
      path: [...steps, "spec"].join("."),
      spec,
      labels: read(template, "metadata", "labels"),
      partial: isKubernetesPatch(resource),
    },
  ];
}

const LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;

/** All containers of a pod that are known: they run beside each other with the same rights. */
export const containersOf = (pod: PodView): readonly ContainerView[] =>
  LISTS.flatMap((list) =>
    items(read(pod.spec, list)).flatMap(({ item, index }) => {
      if (isUnknown(item)) return [];
      const name = read(item, "name");
      return [
        {
          path: `${pod.path}.${list}[${index}]`,
          name: typeof name === "string" ? name : String(index),
          container: item,
        },
      ];
    }),
  );
