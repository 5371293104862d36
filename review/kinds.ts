import type { Category } from "./types.ts";

/**
 * A type token as a program names the class: `aws:eks/nodeGroup:NodeGroup` is `aws.eks.NodeGroup`,
 * `kubernetes:helm.sh/v3:Release` is `kubernetes.helm.v3.Release`.
 */
export function kindOf(type: string): string {
  const [provider = type, module = "", name = ""] = type.split(":");
  if (provider === "pulumi" && module === "pulumi") return `pulumi.${name}`;
  const steps = module.split("/");
  // SDKs made from Terraform providers have one module for each class, named like it: eks/nodeGroup.
  const last = steps.at(-1) ?? "";
  if (steps.length > 1 && last.toLowerCase() === name.toLowerCase()) steps.pop();
  const path = steps
    .filter((step) => step !== "" && step !== "index")
    .map((step) => step.replace(/\..*$/, ""));
  return [provider, ...path, name].join(".");
}

/** The last part of a type token: `NodeGroup`. */
export const classOf = (type: string): string => type.split(":").at(-1) ?? type;

/** A kind for lists of many: `NodeGroup`, `aws provider`. */
export function shortKind(kind: string): string {
  const name = kind.split(".").at(-1) ?? kind;
  return kind.startsWith("pulumi.providers.") ? `${name} provider` : name;
}

/** A component of Mayfly's own. */
export const isMayflyComponent = (type: string): boolean => type.startsWith("mayfly:");

/** Where resources of a type live. */
export function categoryOf({ type, custom }: { readonly type: string; readonly custom: boolean }): Category {
  if (type.startsWith("pulumi:")) return "pulumi";
  if (!custom) return "component";
  return type.startsWith("kubernetes:") ? "cluster" : "cloud";
}

/** What goes with a resource and can't be made again by applying the program once more. */
const LOSSES: Readonly<Record<string, string>> = {
  "aws:ec2/vpc:Vpc": "the network that everything in it needs",
  "aws:eks/cluster:Cluster": "the control plane: every workload and all that Kubernetes knows",
  "eks:index:Cluster": "the control plane: every workload and all that Kubernetes knows",
  "aws:kms/key:Key": "whatever it encrypted can't be read any more",
  "aws:s3/bucket:Bucket": "all objects in it",
  "aws:s3/bucketV2:BucketV2": "all objects in it",
  "aws:ecr/repository:Repository": "all images in it",
  "aws:ebs/volume:Volume": "the data on it",
  "aws:efs/fileSystem:FileSystem": "all files in it",
  "kubernetes:core/v1:Namespace": "every object in it, Secrets too",
  "kubernetes:core/v1:PersistentVolumeClaim": "the data on its volume",
};

/** What is lost with a resource of this type; undefined where it can be made again. */
export const lossOf = (type: string): string | undefined => LOSSES[type];
