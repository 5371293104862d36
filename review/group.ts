import { isDetailed } from "./lines.ts";
import {
  CHANGES,
  type Change,
  type ChangeGroup,
  type ComponentChanges,
  type ResourceChange,
} from "./types.ts";

const rank = (change: Change): number => CHANGES.indexOf(change);

const compare = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/**
 * What happens, by component: worst first, then by name. Components of one class in which the same things happen are one entry, so that six
 * new pools read as one.
 */
export function componentChanges(resources: readonly ResourceChange[]): ComponentChanges[] {
  const changed = resources.filter(
    ({ category, change }) => category !== "component" && change !== "same" && change !== "read",
  );
  const single = groupBy(changed, ({ component }) => component.join("/")).map((members) => {
    const path = members[0]?.component.join("/") ?? "";
    return {
      components: path === "" ? [] : [path],
      kind: members[0]?.componentKind,
      groups: changeGroups(members),
    };
  });
  const alike = groupBy(single, (entry) =>
    // What stands in no component is never put together with anything.
    entry.components.length === 0 ? "" : JSON.stringify([entry.kind, entry.groups.map(signature)]),
  );
  return alike
    .map((entries) => ({
      components: entries.flatMap(({ components }) => components).sort(),
      kind: entries[0]?.kind,
      groups: (entries[0]?.groups ?? []).map((group, index) => {
        const counts = entries.map(({ groups }) => groups[index]?.names.length ?? 0);
        return { ...group, count: { least: Math.min(...counts), most: Math.max(...counts) } };
      }),
    }))
    .sort((a, b) => worst(a) - worst(b) || compare(a.components[0] ?? "~", b.components[0] ?? "~"));
}

const worst = ({ groups }: Pick<ComponentChanges, "groups">): number =>
  Math.min(...groups.map(({ change }) => rank(change)));

const signature = ({ change, kind, names, properties, varying }: ChangeGroup): unknown => [
  change,
  kind,
  // Pools differ in a tag or two; whether there is one more is no difference worth another entry.
  isDetailed({ change }) ? names.length : "",
  properties.map(({ path, from, to, replaces }) =>
    varying.includes(path) ? [path, replaces] : [path, from, to, replaces],
  ),
];

/** Resources of one kind to which the same happens, worst first. */
export function changeGroups(resources: readonly ResourceChange[]): ChangeGroup[] {
  const key = ({ change, kind, properties }: ResourceChange): string =>
    JSON.stringify([change, kind, properties.map(({ path, replaces }) => [path, replaces])]);
  return groupBy(resources, key)
    .map((members) => {
      const sorted = members.toSorted((a, b) => compare(a.name, b.name));
      const properties = sorted[0]?.properties ?? [];
      const varying = properties.flatMap(({ path, from, to }, index) =>
        sorted.every(({ properties: other }) => other[index]?.from === from && other[index]?.to === to)
          ? []
          : [path],
      );
      return {
        change: sorted[0]?.change ?? "same",
        kind: sorted[0]?.kind ?? "",
        names: sorted.map(({ name }) => name),
        count: { least: sorted.length, most: sorted.length },
        properties,
        varying,
      };
    })
    .sort((a, b) => rank(a.change) - rank(b.change) || compare(a.kind, b.kind));
}
