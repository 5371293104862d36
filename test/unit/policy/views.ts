import { placeOf, type ResourceView } from "../../../policy/resource.ts";
import type { Graph } from "../../harness/record.ts";

/**
 * A recorded graph as the rules see it. The recorder shows no dependencies of single properties, so each property is said to be made from all
 * that its resource waits for.
 */
export function viewsOf(graph: Graph): readonly ResourceView[] {
  const urnOf = (name: string): string => graph.get(name).urn;
  return graph.resources.map(({ urn, type, name, inputs, protect, parent, dependencies }) => ({
    urn,
    type,
    name,
    ...placeOf(urn),
    props: inputs,
    protect,
    parent: parent === undefined ? undefined : urnOf(parent),
    propertyDependencies: Object.fromEntries(
      Object.keys(inputs).map((key) => [key, dependencies.map(urnOf)]),
    ),
  }));
}
