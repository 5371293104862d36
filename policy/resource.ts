import { isAbsent, isUnknown, read, UNKNOWN } from "./values.ts";

/** A resource as the rules see it, whatever it was read from: the engine, or a recorded graph in a test. */
export interface ResourceView {
  readonly urn: string;
  /** Type token such as `aws:eks/cluster:Cluster`. */
  readonly type: string;
  readonly name: string;
  readonly stack: string;
  readonly project: string;
  /** Inputs; for rules on the whole stack, outputs. Values that are not known yet are `UNKNOWN`. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Pulumi's option that keeps a resource from being deleted. */
  readonly protect: boolean;
  /** Tags that the AWS provider puts on everything that takes tags. */
  readonly defaultTags?: unknown;
  /** URN of the parent. */
  readonly parent?: string | undefined;
  /** URNs of the resources that a property is made from; filled in for rules on the whole stack only. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/** The marks that everything of ours carries, as AWS tag and as Kubernetes label. */
export const MARK = {
  managedBy: "app.kubernetes.io/managed-by",
  environment: "mayfly.dev/environment",
  class: "mayfly.dev/class",
  tenant: "mayfly.dev/tenant",
} as const;

/** Value of {@link MARK.managedBy}. */
export const MANAGER = "mayfly";

/** The Pulumi project of environments; job stacks are of another one. */
export const ENVIRONMENT_PROJECT = "mayfly";

export const isAws = ({ type }: Pick<ResourceView, "type">): boolean => type.startsWith("aws:");

/** An object of Kubernetes or of one of its extensions: neither a chart, nor a component, nor a patch of somebody else's object. */
export const isKubernetesObject = ({ type }: Pick<ResourceView, "type">): boolean =>
  /^kubernetes:[^:]+:\w+$/.test(type) && !/^kubernetes:(helm\.sh|yaml|kustomize)[/:]|Patch$/.test(type);

/** A patch of an object that somebody else has made. */
export const isKubernetesPatch = ({ type }: Pick<ResourceView, "type">): boolean =>
  /^kubernetes:[^:]+:\w+Patch$/.test(type);

/** The types that a resource stands below, from outside to inside, without its own: `urn:pulumi:stack::project::a$b$own::name`. */
export const typesAbove = ({ urn }: Pick<ResourceView, "urn">): readonly string[] =>
  (urn.split("::")[2] ?? "").split("$").slice(0, -1);

/** `urn:pulumi:<stack>::<project>::…` */
export const placeOf = (urn: string): { readonly stack: string; readonly project: string } => {
  const [head = "", project = ""] = urn.split("::");
  return { stack: head.split(":").slice(2).join(":"), project };
};

/** A tag or label by its name: its value, undefined where it is missing, `UNKNOWN` where that can't be told yet. */
export function markOf(resource: ResourceView, mark: string): unknown {
  const holders = isAws(resource)
    ? [resource.props["tags"], resource.props["tagsAll"], resource.defaultTags]
    : [read(resource.props, "metadata", "labels")];
  const values = holders.map((holder) => read(holder, mark));
  const known = values.find((value) => !isAbsent(value) && !isUnknown(value));
  if (known !== undefined) return known;
  return values.some(isUnknown) ? UNKNOWN : undefined;
}

/** Whether a resource is surely one of production. Without a class, or with one that is not known yet, it is not. */
export const isProduction = (resource: ResourceView): boolean =>
  markOf(resource, MARK.class) === "production";
