import { textAt } from "../../json.ts";
import { digest, uuid } from "../identity.ts";
import {
  ACCOUNT,
  arn,
  type Facts,
  globalArn,
  idIs,
  input,
  MADE_AT,
  type Model,
  type Models,
  NOTHING,
} from "./model.ts";
import { partitionOf } from "./regions.ts";

/** IAM's unique ids: four letters that say what it is, and 17 more. */
const uniqueId = (facts: Facts, prefix: string): string =>
  `${prefix}${digest(17, facts.urn, facts.id).toUpperCase()}`;

/** IAM's paths begin and end with a slash. */
const path = (facts: Facts): string => textAt(facts.inputs, "path") ?? "/";

/** Part of a bucket's configuration: there is one per bucket, and its id is the bucket's name. */
const ofBucket = (model: Partial<Model> = {}): Model => ({
  id: idIs("bucket"),
  outputs: NOTHING,
  replaces: ["bucket", "expectedBucketOwner"],
  tagged: false,
  regional: true,
  ...model,
});

/** Part of a repository's configuration. */
const ofRepository: Model = {
  id: idIs("repository"),
  outputs: () => ({ registryId: ACCOUNT }),
  replaces: ["repository"],
  tagged: false,
  regional: true,
};

/** What replaces what: `ForceNew` in hashicorp/terraform-provider-aws, internal/service/{iam,kms,s3,ecr,...}. */
export const SERVICES: Models = {
  "aws:iam/role:Role": {
    id: idIs("name"),
    outputs: (facts) => ({
      arn: globalArn(facts, "iam", `role${path(facts)}${facts.id}`),
      createDate: MADE_AT,
      uniqueId: uniqueId(facts, "AROA"),
    }),
    defaults: { path: "/", maxSessionDuration: 3600, forceDetachPolicies: false },
    replaces: ["name", "namePrefix", "path"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: false,
  },
  "aws:iam/policy:Policy": {
    id: (facts) => globalArn(facts, "iam", `policy${path(facts)}${input(facts, "name")}`),
    outputs: (facts) => ({ arn: facts.id, attachmentCount: 0, policyId: uniqueId(facts, "ANPA") }),
    defaults: { path: "/" },
    replaces: ["description", "name", "namePrefix", "path"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: false,
  },
  "aws:iam/rolePolicy:RolePolicy": {
    id: (facts) => `${input(facts, "role")}:${input(facts, "name")}`,
    outputs: NOTHING,
    replaces: ["name", "namePrefix", "role"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: false,
    regional: false,
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
    id: (facts) => `${input(facts, "role")}/${input(facts, "policyArn")}`,
    outputs: NOTHING,
    replaces: ["policyArn", "role"],
    tagged: false,
    regional: false,
  },
  "aws:iam/instanceProfile:InstanceProfile": {
    id: idIs("name"),
    outputs: (facts) => ({
      arn: globalArn(facts, "iam", `instance-profile${path(facts)}${facts.id}`),
      createDate: MADE_AT,
      uniqueId: uniqueId(facts, "AIPA"),
    }),
    defaults: { path: "/" },
    replaces: ["name", "namePrefix", "path"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: false,
  },
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
    id: (facts) => globalArn(facts, "iam", `oidc-provider/${input(facts, "url").replace("https://", "")}`),
    outputs: (facts) => ({ arn: facts.id }),
    replaces: ["url"],
    sets: ["clientIdLists"],
    tagged: true,
    regional: false,
  },
  "aws:kms/key:Key": {
    id: (facts) => uuid(facts.urn, facts.region, "key"),
    outputs: (facts) => ({ arn: arn(facts, "kms", `key/${facts.id}`), keyId: facts.id }),
    defaults: { keyUsage: "ENCRYPT_DECRYPT", customerMasterKeySpec: "SYMMETRIC_DEFAULT", isEnabled: true },
    replaces: ["customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"],
    tagged: true,
    regional: true,
  },
  "aws:kms/alias:Alias": {
    id: idIs("name"),
    outputs: (facts) => ({
      arn: arn(facts, "kms", facts.id),
      targetKeyArn: arn(facts, "kms", `key/${input(facts, "targetKeyId")}`),
    }),
    replaces: ["name", "namePrefix"],
    tagged: false,
    regional: true,
  },
  "aws:s3/bucket:Bucket": {
    id: idIs("bucket"),
    outputs: (facts) => ({
      arn: `arn:${facts.partition}:s3:::${facts.id}`,
      bucketDomainName: `${facts.id}.s3.${partitionOf(facts.region).dnsSuffix}`,
      bucketRegion: facts.region,
      bucketRegionalDomainName: `${facts.id}.s3.${facts.region}.${partitionOf(facts.region).dnsSuffix}`,
      hostedZoneId: `Z${digest(13, facts.region).toUpperCase()}`,
    }),
    defaults: { forceDestroy: false },
    replaces: ["bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"],
    name: { property: "bucket", unless: ["bucketPrefix"], lower: true },
    tagged: true,
    regional: true,
  },
  "aws:s3/bucketVersioning:BucketVersioning": ofBucket(),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ofBucket({
    sets: ["rules"],
  }),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket({ replaces: ["bucket"] }),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket(),
  "aws:s3/bucketPolicy:BucketPolicy": ofBucket({ replaces: ["bucket"] }),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ofBucket({ replaces: ["bucket"] }),
  "aws:s3/bucketLogging:BucketLogging": ofBucket(),
  "aws:ecr/repository:Repository": {
    id: idIs("name"),
    outputs: (facts) => ({
      arn: arn(facts, "ecr", `repository/${facts.id}`),
      registryId: ACCOUNT,
      repositoryUrl: `${ACCOUNT}.dkr.ecr.${facts.region}.${partitionOf(facts.region).dnsSuffix}/${facts.id}`,
    }),
    defaults: { imageTagMutability: "MUTABLE" },
    replaces: ["encryptionConfigurations", "name"],
    name: { property: "name", lower: true },
    tagged: true,
    regional: true,
  },
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": ofRepository,
  "aws:ecr/repositoryPolicy:RepositoryPolicy": ofRepository,
  "aws:ecr/pullThroughCacheRule:PullThroughCacheRule": {
    id: idIs("ecrRepositoryPrefix"),
    outputs: () => ({ registryId: ACCOUNT }),
    replaces: ["ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRepositoryPrefix"],
    tagged: false,
    regional: true,
  },
  "aws:autoscaling/tag:Tag": {
    id: (facts) => `${input(facts, "autoscalingGroupName")},${input(facts, "tag", "key")}`,
    outputs: NOTHING,
    replaces: ["autoscalingGroupName", "tag.key"],
    tagged: false,
    regional: true,
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    id: idIs("name"),
    outputs: (facts) => ({ arn: arn(facts, "logs", `log-group:${facts.id}`) }),
    defaults: { retentionInDays: 0, skipDestroy: false },
    replaces: ["logGroupClass", "name", "namePrefix"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: true,
  },
  "aws:cloudwatch/eventRule:EventRule": {
    id: idIs("name"),
    outputs: (facts) => ({ arn: arn(facts, "events", `rule/${facts.id}`) }),
    defaults: { eventBusName: "default" },
    replaces: ["eventBusName", "name", "namePrefix"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: true,
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    id: (facts) => `${input(facts, "rule")}-${textAt(facts.inputs, "targetId") ?? digest(12, facts.urn)}`,
    outputs: (facts) => ({
      targetId: textAt(facts.inputs, "targetId") ?? `terraform-${digest(12, facts.urn)}`,
    }),
    replaces: ["eventBusName", "rule", "targetId"],
    tagged: false,
    regional: true,
  },
  "aws:sqs/queue:Queue": {
    id: (facts) =>
      `https://sqs.${facts.region}.${partitionOf(facts.region).dnsSuffix}/${ACCOUNT}/${input(facts, "name")}`,
    outputs: (facts) => ({ arn: arn(facts, "sqs", input(facts, "name")), url: facts.id }),
    replaces: ["fifoQueue", "name", "namePrefix"],
    name: { property: "name", unless: ["namePrefix"] },
    tagged: true,
    regional: true,
  },
  "aws:sqs/queuePolicy:QueuePolicy": {
    id: idIs("queueUrl"),
    outputs: NOTHING,
    replaces: ["queueUrl"],
    tagged: false,
    regional: true,
  },
};
