import type { EnvironmentConfig } from "../schema/environment/index.ts";
import { joinNames } from "./names.ts";
import type { Attention, PolicyReview, PropertyChange, ResourceChange, Totals } from "./types.ts";
import { plural } from "./words.ts";

/** What {@link attentionTo} looks at. */
export interface AttentionInput {
  readonly resources: readonly ResourceChange[];
  readonly totals: Totals;
  readonly policies: PolicyReview;
  readonly errors: readonly string[];
  readonly config: EnvironmentConfig;
  readonly before: EnvironmentConfig | { readonly unknown: string } | undefined;
}

const goes = ({ change }: ResourceChange): boolean => change === "delete" || change === "replace";

/** Whether `pulumi up` would refuse the change: something protected goes, or a mandatory policy is broken. */
export const isRefusal = (resources: readonly ResourceChange[], policies: PolicyReview): boolean =>
  resources.some((resource) => goes(resource) && resource.protect) ||
  policies.violations.some(({ mandatory }) => mandatory);

/** Groups of replaced and deleted things that are listed one by one; the rest is in the list of components anyway. */
const GROUPS_SHOWN = 12;
/** Causes of one group that are listed. */
const CAUSES_SHOWN = 3;

/**
 * What a reviewer has to see first, worst on top: what holds data and would go, what is protected and would go, why the preview failed, broken
 * policies, pools that go while runs may be on them, then all else that is replaced or deleted.
 */
export function attentionTo(input: AttentionInput): Attention[] {
  const { resources, policies, errors } = input;
  const going = resources.filter((resource) => goes(resource) && resource.category !== "component");
  const stateful = going.filter(({ loss }) => loss !== undefined);
  const guarded = going.filter(({ loss, protect }) => loss === undefined && protect);
  const rest = groupsOf(going.filter(({ loss, protect }) => loss === undefined && !protect));
  const hidden = rest.length - GROUPS_SHOWN;
  return [
    ...stateful.map((resource) => stateLoss(resource)),
    ...groupsOf(guarded).map((group) => goingGroup(group, "danger")),
    ...errors.map((message): Attention => {
      const [first = "", ...more] = message.split("\n");
      return { level: "danger", message: `the preview failed: ${first}`, details: more };
    }),
    ...broken(policies),
    ...poolAdvice(input),
    ...rest.slice(0, GROUPS_SHOWN).map((group) => goingGroup(group, "warning")),
    ...(hidden > 0
      ? [{ level: "warning" as const, message: `${hidden} more kinds are replaced or deleted`, details: [] }]
      : []),
    ...tooMany(input.totals),
  ];
}

const tooMany = ({ resources, limit }: Totals): Attention[] =>
  resources <= limit
    ? []
    : [
        {
          level: "warning",
          message: `${resources} resources are more than the ${limit} that an environment may have`,
          details: [
            "Each pool has a node group for each of its instance types and zones: use fewer of these.",
          ],
        },
      ];

const verbOf = ({ change }: ResourceChange): string => (change === "replace" ? "replaced" : "deleted");

function stateLoss(resource: ResourceChange): Attention {
  const { kind, name, loss = "", protect } = resource;
  return {
    level: "danger",
    message: `${kind} ${name} is ${verbOf(resource)}. Lost with it: ${loss}`,
    details: [...(protect ? [PROTECTED] : []), ...causesOf([resource])],
  };
}

const PROTECTED = "Protected: pulumi up refuses this until the protection is taken off on purpose.";

/** Resources of one kind and component to which the same happens. */
function groupsOf(resources: readonly ResourceChange[]): ResourceChange[][] {
  const groups = new Map<string, ResourceChange[]>();
  for (const resource of resources) {
    const key = `${resource.change} ${resource.kind} ${resource.component.join("/")}`;
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  return [...groups.values()];
}

function goingGroup(members: readonly ResourceChange[], level: Attention["level"]): Attention {
  const [first] = members;
  if (first === undefined) throw new Error("a group without members");
  const component = first.component.at(-1);
  const what = members.length === 1 ? first.kind : `${members.length} × ${first.kind}`;
  const place = component === undefined ? "" : ` of ${component}`;
  const causes = causesOf(members);
  return {
    level,
    message: `${what}${place} ${members.length === 1 ? "is" : "are"} ${verbOf(first)}: ${joinNames(members.map(({ name }) => name))}`,
    details: [
      ...(level === "danger" ? [PROTECTED] : []),
      ...(first.deleteBeforeReplace ? ["The old one goes before the new one is there."] : []),
      ...causes.slice(0, CAUSES_SHOWN),
      ...(causes.length > CAUSES_SHOWN ? [`and ${causes.length - CAUSES_SHOWN} more causes`] : []),
    ],
  };
}

/** Properties that force the replacement of any of these, each once, with the values of the first. */
function causesOf(resources: readonly ResourceChange[]): string[] {
  const causes = new Map<string, PropertyChange>();
  for (const property of resources.flatMap(({ properties }) => properties)) {
    if (property.replaces && !causes.has(property.path)) causes.set(property.path, property);
  }
  return [...causes.values()].map((property) => `Forced by ${describe(property)}`);
}

/** `diskSize: 50 → 100`. */
export const describe = ({ path, from, to }: PropertyChange): string => {
  if (from === undefined) return `${path}: ${to ?? ""} (new)`;
  if (to === undefined) return `${path}: ${from} (taken away)`;
  return `${path}: ${from} → ${to}`;
};

function broken({ violations }: PolicyReview): Attention[] {
  const mandatory = new Map<string, string[]>();
  for (const { policy, mandatory: must, resource, message } of violations) {
    if (!must) continue;
    const lines = mandatory.get(policy) ?? [];
    mandatory.set(policy, [...lines, resource === undefined ? message : `${nameIn(resource)}: ${message}`]);
  }
  return [...mandatory].map(([policy, details]) => ({
    level: "danger",
    message: `policy ${policy} is broken (${plural(details.length, "time")}): pulumi up refuses it`,
    details,
  }));
}

const nameIn = (urn: string): string => urn.split("::").at(-1) ?? urn;

/** Pools that go, or whose nodes do: runs on them end. */
function poolAdvice({ config, before }: AttentionInput): Attention[] {
  if (before === undefined || "unknown" in before) return [];
  const left = new Set(config.pools.map(({ name }) => name));
  return before.pools
    .filter(({ name, state }) => !left.has(name) && state === "active")
    .map(({ name }) => ({
      level: "danger",
      message: `pool ${name} goes while it may have runs: they are killed`,
      details: [
        "First set state: draining on it and apply that: it takes no new runs. Take it out of the config once its runs have ended.",
      ],
    }));
}
