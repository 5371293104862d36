import { UNKNOWN } from "../../../../policy/values.ts";
import { aws, type Example, marks } from "./builders.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b";
const closed = { endpointPublicAccess: false, endpointPrivateAccess: true };
const encryptionConfig = { resources: ["secrets"], provider: { keyArn: KEY } };

const cluster = (props: Readonly<Record<string, unknown>>, environmentClass = "production") =>
  aws(
    "eks/cluster:Cluster",
    "prod",
    { vpcConfig: closed, encryptionConfig, tagsAll: marks(environmentClass), ...props },
    { protect: environmentClass === "production" },
  );

const template = (props: Readonly<Record<string, unknown>>) =>
  aws("ec2/launchTemplate:LaunchTemplate", "m7g-4xlarge", {
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true", volumeSize: 100 } }],
    ...props,
  });

export const AWS_EXAMPLES: readonly Example[] = [
  {
    rule: "no-public-endpoint",
    bad: [
      {
        title: "an API server that the internet can reach",
        resources: [cluster({ vpcConfig: { endpointPublicAccess: true, endpointPrivateAccess: true } })],
        says: ["prod: vpcConfig.endpointPublicAccess is true, not false"],
      },
      {
        title: "an endpoint about which nothing is said",
        resources: [cluster({ vpcConfig: { endpointPrivateAccess: true } })],
        says: ["prod: vpcConfig.endpointPublicAccess is left to EKS's own default, not false"],
      },
      {
        title: "an endpoint that is not reachable from inside",
        resources: [cluster({ vpcConfig: { endpointPublicAccess: false } })],
        says: ["prod: vpcConfig.endpointPrivateAccess is left to EKS's own default, not true"],
      },
    ],
    good: [
      { title: "a private endpoint", resources: [cluster({})] },
      {
        title: "a public one in development",
        resources: [cluster({ vpcConfig: { endpointPublicAccess: true } }, "development")],
      },
      { title: "an endpoint that is not known yet", resources: [cluster({ vpcConfig: UNKNOWN })] },
    ],
  },
  {
    rule: "encryption-at-rest",
    bad: [
      {
        title: "a cluster without encryption of Secrets",
        resources: [cluster({ encryptionConfig: undefined })],
        says: ["prod: encryptionConfig.resources does not hold secrets"],
      },
      {
        title: "a cluster whose encryption names no key",
        resources: [cluster({ encryptionConfig: { resources: ["secrets"], provider: {} } })],
        says: ["prod: encryptionConfig.provider.keyArn names no key"],
      },
      {
        title: "a launch template that leaves the image's root volume",
        resources: [template({ blockDeviceMappings: [] })],
        says: ["m7g-4xlarge: blockDeviceMappings names no root volume, so the image's own is used"],
      },
      {
        title: "a second volume in clear",
        resources: [
          template({
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }, { ebs: { encrypted: "false" } }],
          }),
        ],
        says: ["m7g-4xlarge: blockDeviceMappings[1].ebs.encrypted is not true"],
      },
      {
        title: "an instance with a root volume in clear",
        resources: [
          aws("ec2/instance:Instance", "bastion", {
            metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
            ebsBlockDevices: [{}],
          }),
        ],
        says: [
          "bastion: rootBlockDevice.encrypted is not true",
          "bastion: ebsBlockDevices[0].encrypted is not true",
        ],
      },
      {
        title: "a volume in clear",
        resources: [aws("ebs/volume:Volume", "checkpoints", { encrypted: false }, { protect: true })],
        says: ["checkpoints: encrypted is not true"],
      },
      {
        title: "an image repository that says nothing",
        resources: [aws("ecr/repository:Repository", "spark", {}, { protect: true })],
        says: ["spark: encryptionConfigurations says neither KMS nor AES256"],
      },
    ],
    good: [
      { title: "a cluster, its template and its volumes", resources: [cluster({}), template({})] },
      {
        title: "a template with an instance store beside its root volume",
        resources: [
          template({
            blockDeviceMappings: [{ virtualName: "ephemeral0" }, { ebs: { encrypted: true, kmsKeyId: KEY } }],
          }),
        ],
      },
      {
        title: "an instance, a volume and a repository",
        resources: [
          aws("ec2/instance:Instance", "bastion", {
            metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
            rootBlockDevice: { encrypted: true },
          }),
          aws("ebs/volume:Volume", "checkpoints", { encrypted: true }, { protect: true }),
          aws(
            "ecr/repository:Repository",
            "spark",
            { encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: UNKNOWN }] },
            { protect: true },
          ),
        ],
      },
    ],
  },
  {
    rule: "kms-key-rotation",
    bad: [
      {
        title: "a key that stays the same for ever",
        resources: [aws("kms/key:Key", "secrets", {}, { protect: true })],
        says: ["secrets: enableKeyRotation is not true"],
      },
    ],
    good: [
      {
        title: "a key that KMS rotates, and one that it can't rotate",
        resources: [
          aws("kms/key:Key", "secrets", { enableKeyRotation: true }, { protect: true }),
          aws("kms/key:Key", "signing", { customerMasterKeySpec: "ECC_NIST_P256" }, { protect: true }),
          aws("kms/key:Key", "tokens", { keyUsage: "GENERATE_VERIFY_MAC" }, { protect: true }),
        ],
      },
    ],
  },
  {
    rule: "instance-metadata-for-nodes-only",
    bad: [
      {
        title: "a template that says nothing",
        resources: [template({ metadataOptions: undefined })],
        says: [
          "m7g-4xlarge: metadataOptions.httpTokens is not required",
          "m7g-4xlarge: metadataOptions.httpPutResponseHopLimit is not 1",
        ],
      },
      {
        title: "a template whose answers reach pods",
        resources: [template({ metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 } })],
        says: ["m7g-4xlarge: metadataOptions.httpPutResponseHopLimit is not 1"],
      },
      {
        title: "a node group without a template of ours",
        resources: [aws("eks/nodeGroup:NodeGroup", "system", { scalingConfig: { minSize: 2 } })],
        says: ["system: launchTemplate is missing"],
      },
    ],
    good: [
      {
        title: "a template for nodes only, and a node group with it",
        resources: [
          template({}),
          aws("eks/nodeGroup:NodeGroup", "system", {
            scalingConfig: { minSize: 2 },
            launchTemplate: { id: UNKNOWN, version: "1" },
          }),
        ],
      },
    ],
  },
  {
    rule: "protect-stateful-resources",
    bad: [
      {
        title: "a cluster, its key, its network and its repository that a mistake could delete",
        resources: [
          aws("ec2/vpc:Vpc", "network"),
          aws("kms/key:Key", "secrets", { enableKeyRotation: true }),
          aws("eks/cluster:Cluster", "prod", { vpcConfig: closed, encryptionConfig }),
          aws("ecr/repository:Repository", "spark", {
            encryptionConfigurations: [{ encryptionType: "AES256" }],
          }),
        ],
        says: ["network", "secrets", "prod", "spark"].map(
          (name) => `${name}: protect is not set (a resource option, not a property)`,
        ),
      },
    ],
    good: [
      { title: "a protected network", resources: [aws("ec2/vpc:Vpc", "network", {}, { protect: true })] },
      {
        title: "an unprotected one in development, or of a class that is not known yet",
        resources: [
          aws("ec2/vpc:Vpc", "network", {}, { class: "development" }),
          aws("ec2/vpc:Vpc", "network", { tagsAll: UNKNOWN }),
        ],
      },
    ],
  },
];
