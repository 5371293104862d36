import { type ResourceView, typesAbove } from "./resource.ts";

/** One kind of resource on which a rule has nothing to say, and why. */
export interface Exemption {
  readonly rule: string;
  readonly type: string;
  /** End of the resource's name. */
  readonly name: RegExp;
  /** Type of the remote component that makes it: a resource of ours by the same name is judged. */
  readonly inside: string;
  readonly reason: string;
}

/** Resources that remote components make and on which we have no say. Everything else is judged. */
export const EXEMPTIONS: readonly Exemption[] = [
  {
    rule: "tags-and-labels",
    type: "kubernetes:core/v1:ConfigMap",
    name: /-nodeAccess$/,
    inside: "eks:index:Cluster",
    reason: "aws-auth, which EKS itself reads by its name; the component takes no labels for it",
  },
];

export const isExempt = (rule: string, resource: Pick<ResourceView, "urn" | "type" | "name">): boolean =>
  EXEMPTIONS.some(
    (one) =>
      one.rule === rule &&
      one.type === resource.type &&
      one.name.test(resource.name) &&
      typesAbove(resource).includes(one.inside),
  );
