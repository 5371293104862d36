import { relationsOf } from "../relations.ts";
import type { ResourceView } from "../resource.ts";
import type { StackProblem, StackRule } from "../rule.ts";
import { holdsUnknown, isMembers, isUnknown, items, read } from "../values.ts";

const TEMPLATE = "k8s.io/cluster-autoscaler/node-template";

/** EKS's names of effects, and Kubernetes' own, which the autoscaler reads. */
const EFFECTS: Readonly<Record<string, string>> = {
  NO_SCHEDULE: "NoSchedule",
  NO_EXECUTE: "NoExecute",
  PREFER_NO_SCHEDULE: "PreferNoSchedule",
};

/** Taints that a node has only while it starts: the autoscaler must not count with them. */
const PASSING = /^(startup|status|ignore)-taint\.cluster-autoscaler\.kubernetes\.io\//;

/** Sizes come as text in some of the provider's outputs. */
const isZero = (value: unknown): boolean => value === 0 || value === "0";

interface Wanted {
  readonly key: string;
  /** Any value will do where it is undefined. */
  readonly value: string | undefined;
}

function wantedTags({ props }: ResourceView): readonly Wanted[] {
  const { labels, taints } = props;
  return [
    ...(isMembers(labels) ? Object.entries(labels) : []).map(([label, value]) => ({
      key: `${TEMPLATE}/label/${label}`,
      value: typeof value === "string" ? value : undefined,
    })),
    ...items(taints).flatMap(({ item }) => {
      const key = read(item, "key");
      if (typeof key !== "string" || PASSING.test(key)) return [];
      const [value, effect] = [read(item, "value") ?? "", read(item, "effect")];
      const known = typeof value === "string" && typeof effect === "string";
      return [
        {
          key: `${TEMPLATE}/taint/${key}`,
          value: known ? `${value}:${EFFECTS[effect] ?? effect}` : undefined,
        },
      ];
    }),
    { key: `${TEMPLATE}/resources/ephemeral-storage`, value: undefined },
  ];
}

/**
 * A group without nodes shows the autoscaler nothing but the tags of its auto-scaling group, and tags of an EKS node group don't reach
 * that one: each must be a resource.
 */
export const autoscalerTags: StackRule = {
  scope: "stack",
  name: "autoscaler-tags",
  description:
    "Tag the auto-scaling group of every node group that starts at zero, with aws.autoscaling.Tag: one tag for each label, one for each taint with the value <value>:<Effect>, and one for ephemeral-storage. Without them it stays at zero.",
  url: "https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md",
  check: (resources) => {
    const { ofType, names } = relationsOf(resources);
    const tags = ofType("aws:autoscaling/tag:Tag");
    return ofType("aws:eks/nodeGroup:NodeGroup")
      .filter(({ props }) => isZero(read(props, "scalingConfig", "minSize")))
      .flatMap((group): readonly StackProblem[] => {
        const own = tags
          .filter((tag) =>
            names(tag, "autoscalingGroupName", group, ["resources", "0", "autoscalingGroups", "0", "name"]),
          )
          .map(({ props }) => props["tag"]);
        if (own.some((tag) => holdsUnknown(tag) || isUnknown(read(tag, "key")))) return [];
        return wantedTags(group).flatMap(({ key, value }) => {
          const values = own.filter((tag) => read(tag, "key") === key).map((tag) => read(tag, "value"));
          if (values.length === 0)
            return [{ resource: group, path: "autoscaling.Tag", message: `${key} is missing` }];
          const fits = value === undefined || values.some((one) => isUnknown(one) || one === value);
          return fits
            ? []
            : [
                {
                  resource: group,
                  path: "autoscaling.Tag",
                  message: `${key} is not ${value === "" ? "empty" : value}`,
                },
              ];
        });
      });
  },
};
