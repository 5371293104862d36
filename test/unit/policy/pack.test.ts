import {
  type PolicyResource,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  unknownCheckingProxy,
} from "@pulumi/policy";
import { expect, test } from "vitest";
import { policyOf } from "../../../policy/pack.ts";
import { RULES } from "../../../policy/rules/index.ts";
import { marks, urnOf } from "./examples/builders.ts";

/** What the engine sends in place of a text that is not known yet. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const policies = RULES.map(policyOf);

const resourcePolicy = (name: string): ResourceValidationPolicy => {
  const policy = policies.find((one) => one.name === name);
  if (policy === undefined || !("validateResource" in policy)) throw new Error(`no policy ${name}`);
  return policy;
};

const stackPolicy = (name: string): StackValidationPolicy => {
  const policy = policies.find((one) => one.name === name);
  if (policy === undefined || !("validateStack" in policy)) throw new Error(`no policy ${name}`);
  return policy;
};

const options = {
  protect: false,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};

function argumentsOf(
  type: string,
  props: Record<string, unknown>,
  more: Partial<ResourceValidationArgs> = {},
): ResourceValidationArgs {
  return {
    type,
    name: "prod",
    urn: urnOf(type, "prod"),
    props: proxied(props),
    opts: options,
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    getConfig: () => {
      throw new Error("no rule is configured");
    },
    notApplicable: () => {
      throw new Error("no rule says so");
    },
    ...more,
  };
}

// The SDK exports it without a type.
const proxy = unknownCheckingProxy as (props: object) => Record<string, unknown>;

/** As the SDK hands properties out: reading an unknown value throws. */
const proxied = (props: Record<string, unknown>): Record<string, unknown> => proxy(props);

async function reported(name: string, args: ResourceValidationArgs): Promise<string[]> {
  const messages: string[] = [];
  const validations = [resourcePolicy(name).validateResource ?? []].flat();
  for (const validate of validations) await validate(args, (message) => messages.push(message));
  return messages;
}

const CLUSTER = "aws:eks/cluster:Cluster";

test("every policy is mandatory and carries its rule's texts", () => {
  expect(
    policies.map(({ name, enforcementLevel, description, url }) => ({
      name,
      enforcementLevel,
      description,
      url,
    })),
  ).toEqual(
    RULES.map(({ name, description, url }) => ({ name, enforcementLevel: "mandatory", description, url })),
  );
});

test("a violation names the property", async () => {
  const args = argumentsOf(CLUSTER, { tagsAll: marks(), vpcConfig: { endpointPrivateAccess: true } });
  expect(await reported("no-public-endpoint", args)).toEqual([
    "vpcConfig.endpointPublicAccess is left to EKS's own default, not false",
  ]);
});

test("an unknown value is no violation, and what lies beside it is still judged", async () => {
  const args = argumentsOf(CLUSTER, {
    tagsAll: marks(),
    vpcConfig: {
      endpointPublicAccess: UNKNOWN_TEXT,
      endpointPrivateAccess: false,
      subnetIds: [UNKNOWN_TEXT],
    },
  });
  expect(await reported("no-public-endpoint", args)).toEqual([
    "vpcConfig.endpointPrivateAccess is false, not true",
  ]);
});

test("the class may come from the provider's default tags, and protect from the resource's options", async () => {
  const provider = {
    type: "pulumi:providers:aws",
    name: "aws",
    urn: urnOf("pulumi:providers:aws", "aws"),
    props: proxied({ defaultTags: JSON.stringify({ tags: marks() }) }),
  };
  const open = argumentsOf(CLUSTER, {}, { provider });
  expect(await reported("protect-stateful-resources", open)).toHaveLength(1);
  expect(await reported("tags-and-labels", open)).toEqual([]);
  const kept = argumentsOf(CLUSTER, {}, { provider, opts: { ...options, protect: true } });
  expect(await reported("protect-stateful-resources", kept)).toEqual([]);
});

test("a rule on the stack reports at the resource, and follows what a property is made from", async () => {
  const member = (type: string, name: string, props: Record<string, unknown>): PolicyResource => ({
    type,
    name,
    urn: urnOf(type, name),
    props: proxied(props),
    opts: options,
    dependencies: [],
    propertyDependencies: {},
    isType: () => false,
    asType: () => undefined,
  });
  const [state, logs] = ["state", "logs"].map((name) => member("aws:s3/bucket:Bucket", name, {})) as [
    PolicyResource,
    PolicyResource,
  ];
  const encryption = {
    ...member(
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      "logs-encryption",
      { bucket: UNKNOWN_TEXT, rules: UNKNOWN_TEXT },
    ),
    propertyDependencies: { bucket: [logs] },
  };
  const messages: (readonly [string, string | undefined])[] = [];
  await stackPolicy("private-encrypted-buckets").validateStack(
    {
      resources: [state, logs, encryption],
      stackTags: new Map(),
      getConfig: () => {
        throw new Error("no rule is configured");
      },
      notApplicable: () => {
        throw new Error("no rule says so");
      },
    },
    (message, urn) => messages.push([message, urn]),
  );
  expect(messages).toEqual([
    ["encryption has no configuration of its own", state.urn],
    ["public access is not blocked", state.urn],
    ["public access is not blocked", logs.urn],
  ]);
});
