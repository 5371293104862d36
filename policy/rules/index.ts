import type { Rule } from "../rule.ts";
import { autoscalerTags } from "./autoscaler-tags.ts";
import { privateBuckets } from "./buckets.ts";
import { encryptionAtRest, keyRotation } from "./encryption.ts";
import { noWildcardIam } from "./iam.ts";
import { instanceMetadata } from "./instance-metadata.ts";
import { tagsAndLabels } from "./labels.ts";
import { imagesByDigest, limitsOnContainers, noHostAccess } from "./pods.ts";
import { protectedState } from "./protected.ts";
import { publicEndpoint } from "./public-endpoint.ts";

/** All rules, in the order in which docs/policy.md explains them. */
export const RULES: readonly Rule[] = [
  publicEndpoint,
  encryptionAtRest,
  keyRotation,
  privateBuckets,
  instanceMetadata,
  noWildcardIam,
  noHostAccess,
  limitsOnContainers,
  imagesByDigest,
  tagsAndLabels,
  protectedState,
  autoscalerTags,
];
