import type { ResourceRule } from "../rule.ts";
import { isAbsent, isUnknown, read } from "../values.ts";

const WANTED = { httpTokens: "required", httpPutResponseHopLimit: 1 } as const;

/**
 * The instance's role is for the kubelet. With a hop limit of 1 the answer does not reach a pod, which is one hop further away. A node group
 * without a launch template gets EKS's own, with a limit of 2.
 */
export const instanceMetadata: ResourceRule = {
  scope: "resource",
  name: "instance-metadata-for-nodes-only",
  description:
    "Keep pods away from the node's credentials: metadataOptions with httpTokens required and httpPutResponseHopLimit 1, in a launch template of ours.",
  url: "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
  judges: ({ type }) =>
    [
      "aws:ec2/launchTemplate:LaunchTemplate",
      "aws:ec2/instance:Instance",
      "aws:eks/nodeGroup:NodeGroup",
    ].includes(type),
  check: ({ type, props }) => {
    if (type === "aws:eks/nodeGroup:NodeGroup")
      return isAbsent(props["launchTemplate"]) ? [{ path: "launchTemplate", message: "is missing" }] : [];
    return Object.entries(WANTED).flatMap(([field, wanted]) => {
      const found = read(props, "metadataOptions", field);
      return isUnknown(found) || found === wanted
        ? []
        : [{ path: `metadataOptions.${field}`, message: `is not ${wanted}` }];
    });
  },
};
