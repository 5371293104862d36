import {
  ENVIRONMENT_PROJECT,
  isAws,
  isKubernetesObject,
  MANAGER,
  MARK,
  markOf,
  type ResourceView,
} from "../resource.ts";
import type { Problem, ResourceRule } from "../rule.ts";
import { UNTAGGABLE } from "../untaggable.ts";
import { isAbsent, isUnknown } from "../values.ts";

/** `aws:ec2/vpc:Vpc` is type Vpc of module ec2. */
function takesTags({ type }: Pick<ResourceView, "type">): boolean {
  const [, module = "", name = ""] = /^aws:([^/:]+)[^:]*:(.+)$/.exec(type) ?? [];
  return module !== "index" && UNTAGGABLE[module]?.includes(name) !== true;
}

const managed = (resource: ResourceView): string | undefined => {
  const manager = markOf(resource, MARK.managedBy);
  if (isUnknown(manager) || manager === MANAGER) return undefined;
  return isAbsent(manager) ? `has no ${MARK.managedBy}` : `has another ${MARK.managedBy} than ${MANAGER}`;
};

const missing = (resource: ResourceView, ...marks: readonly string[]): string | undefined =>
  marks.every((mark) => isAbsent(markOf(resource, mark))) ? `has no ${marks.join(" or ")}` : undefined;

function wanted(resource: ResourceView): readonly (string | undefined)[] {
  if (isAws(resource))
    return [managed(resource), missing(resource, MARK.environment), missing(resource, MARK.class)];
  return resource.project === ENVIRONMENT_PROJECT
    ? [managed(resource), missing(resource, MARK.environment)]
    : [managed(resource), missing(resource, MARK.tenant, MARK.environment)];
}

/** By these marks we tell what is ours: costs, IAM conditions, the search for leftovers and a run's clean-up go by them. */
export const tagsAndLabels: ResourceRule = {
  scope: "resource",
  name: "tags-and-labels",
  description: `Mark what is ours: ${MARK.managedBy}=${MANAGER} on everything; ${MARK.environment} on what belongs to an environment (AWS: ${MARK.class} too), ${MARK.tenant} on what belongs to a run.`,
  url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/",
  judges: (resource) => (isAws(resource) ? takesTags(resource) : isKubernetesObject(resource)),
  check: (resource) => {
    const path = isAws(resource) ? "tags" : "metadata.labels";
    return wanted(resource).flatMap((message): Problem[] =>
      message === undefined ? [] : [{ path, message }],
    );
  },
};
