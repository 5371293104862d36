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

/**
 * What a reviewer has to see first, worst on top: what holds data and would go, what is protected and would go, why the preview failed, broken
 * policies, pools that go while runs may be on them, then all else that is replaced or deleted.
 */
export function attentionTo(input: AttentionInput): Attention[] {
  const { resources, policies, errors } = input;
  const going = resources.filter((resource) => goes(resource) && resource.category !== "component");
  const stateful = going.filter(({ loss }) => loss !== undefined);
  const guarded = going.filter(({ loss, protect }) => loss === undefined && protect);
  const rest = going.filter(({ loss, protect }) => loss === undefined && !protect);
  return [
    ...stateful.map((resource) => lossOf(resource)),
    ...guarded.map((resource) => guard(resource)),
    ...errors.map((message): Attention => {
      const [first = "", ...more] = message.split("\n");
      return { level: "danger", message: `the preview failed: ${first}`, details: more };
    }),
    ...broken(policies),
    ...poolAdvice(input),
    ...restOf(rest),
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

const VERBS = { replace: "is replaced", delete: "is deleted" } as const;

const verbOf = ({ change }: ResourceChange): string => (change === "replace" ? VERBS.replace : VERBS.delete);

function lossOf(resource: ResourceChange): Attention {
  const { kind, name, loss = "" } = resource;
  return {
    level: "danger",
    message: `${kind} ${name} ${verbOf(resource)}. Lost with it: ${loss}`,
    details: [...guardDetails(resource), ...forcedBy(resource)],
  };
}

function guard(resource: ResourceChange): Attention {
  return {
    level: "danger",
    message: `${resource.kind} ${resource.name} ${verbOf(resource)}, though it is protected`,
    details: [...guardDetails(resource), ...forcedBy(resource)],
  };
}

const guardDetails = ({ protect }: ResourceChange): string[] =>
  protect ? ["It is protected: pulumi up refuses this until the protection is taken off on purpose."] : [];

const forcedBy = ({ properties }: ResourceChange): string[] =>
  properties.filter(({ replaces }) => replaces).map((property) => `Forced by ${describe(property)}`);

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

function restOf(resources: readonly ResourceChange[]): Attention[] {
  const groups = new Map<string, ResourceChange[]>();
  for (const resource of resources) {
    const key = `${verbOf(resource)} ${resource.kind} ${resource.component.at(-1) ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const verb = members.length === 1 ? verbOf(first) : verbOf(first).replace("is", "are");
    const place = first.component.at(-1) === undefined ? "" : ` of ${first.component.at(-1) ?? ""}`;
    const what = members.length === 1 ? first.kind : `${members.length} × ${first.kind}`;
    const causes = [...new Set(members.flatMap((member) => forcedBy(member)))];
    return [
      {
        level: "warning" as const,
        message: `${what}${place} ${verb}: ${joinNames(members.map(({ name }) => name))}`,
        details: [
          ...(first.change === "replace" && first.deleteBeforeReplace
            ? ["The old one goes before the new one is there."]
            : []),
          ...causes.slice(0, 3),
          ...(causes.length > 3 ? [`and ${causes.length - 3} more`] : []),
        ],
      },
    ];
  });
}
