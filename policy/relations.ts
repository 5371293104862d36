import type { ResourceView } from "./resource.ts";
import { isAbsent, isUnknown, read } from "./values.ts";

/** Which resources of a stack belong together. */
export interface Relations {
  readonly ofType: (...types: readonly string[]) => readonly ResourceView[];
  /**
   * Whether `property` of `one` names `other`. In a preview the name itself is not known yet, but what it is made from is: `other`
   * itself, or a component that holds it and no second one of its type, as where it is made inside a remote component. Otherwise the names
   * are compared; where one of them is not known yet and nothing says what it is made from, they may be the same.
   */
  readonly names: (
    one: ResourceView,
    property: string,
    other: ResourceView,
    name: readonly string[],
  ) => boolean;
}

export function relationsOf(resources: readonly ResourceView[]): Relations {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const above = (resource: ResourceView): readonly string[] => {
    const parent = resource.parent === undefined ? undefined : byUrn.get(resource.parent);
    // The stack itself holds everything.
    return parent?.parent === undefined ? [] : [parent.urn, ...above(parent)];
  };
  const holds = (urn: string, type: string): number =>
    resources.filter((resource) => resource.type === type && above(resource).includes(urn)).length;
  return {
    ofType: (...types) => resources.filter(({ type }) => types.includes(type)),
    names: (one, property, other, name) => {
      const sources = one.propertyDependencies?.[property] ?? [];
      if (sources.includes(other.urn)) return true;
      const holders = above(other).filter((urn) => sources.includes(urn));
      if (holders.some((urn) => holds(urn, other.type) === 1)) return true;
      const mine = read(one.props, property);
      const theirs = read(other.props, ...name);
      // Made from something else, or from nothing that we know of.
      if (isUnknown(mine) || isUnknown(theirs)) return sources.length === 0;
      return !isAbsent(mine) && mine === theirs;
    },
  };
}
