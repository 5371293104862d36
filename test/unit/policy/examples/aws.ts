import { UNKNOWN } from "../../../../policy/values.ts";
import { aws, type Example, iamPolicy, marks, role, untagged } from "./builders.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b";
const ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/AAAA";
const PROVIDER = `arn:aws:iam::123456789012:oidc-provider/${ISSUER}`;

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

const subject = (name: string) => ({
  StringLike: { [`${ISSUER}:sub`]: name, [`${ISSUER}:aud`]: "sts.amazonaws.com" },
});
const webIdentity = (condition: unknown) => ({
  Effect: "Allow",
  Action: "sts:AssumeRoleWithWebIdentity",
  Principal: { Federated: PROVIDER },
  Condition: condition,
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
    rule: "no-wildcard-iam",
    bad: [
      {
        title: "every action",
        resources: [iamPolicy({ Effect: "Allow", Action: "*", Resource: "arn:aws:s3:::acme-lake" })],
        says: ["access: policy.Statement[0].Action allows every action of every service"],
      },
      {
        title: "a whole service on every resource, whatever the condition",
        resources: [
          iamPolicy(
            { Effect: "Allow", Action: ["ec2:Describe*"], Resource: "*" },
            {
              Effect: "Allow",
              Action: ["ec2:*", "s3:ListBucket"],
              Resource: ["*"],
              Condition: { StringEquals: { "aws:ResourceTag/mayfly.dev/environment": "prod" } },
            },
          ),
        ],
        says: ["access: policy.Statement[1].Action allows ec2:* on every resource"],
      },
      {
        title: "a whole service on every resource, as an ARN",
        resources: [iamPolicy({ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::*" })],
        says: ["access: policy.Statement[0].Action allows s3:* on every resource"],
      },
      {
        title: "a change of every resource",
        resources: [iamPolicy({ Effect: "Allow", Action: "autoscaling:SetDesiredCapacity", Resource: "*" })],
        says: [
          "access: policy.Statement[0].Resource allows autoscaling:SetDesiredCapacity on every resource, without a condition on a tag of ours",
        ],
      },
      {
        title: "a condition that also holds without the tag",
        resources: [
          iamPolicy({
            Effect: "Allow",
            Action: "ec2:TerminateInstances",
            Resource: "*",
            Condition: { StringEqualsIfExists: { "aws:ResourceTag/mayfly.dev/environment": "prod" } },
          }),
        ],
        says: [
          "access: policy.Statement[0].Resource allows ec2:TerminateInstances on every resource, without a condition on a tag of ours",
        ],
      },
      {
        title: "a condition on the tag that any value fulfils, and one on somebody else's tag",
        resources: [
          iamPolicy(
            {
              Effect: "Allow",
              Action: "ec2:TerminateInstances",
              Resource: "*",
              Condition: { StringLike: { "aws:ResourceTag/mayfly.dev/environment": "*" } },
            },
            {
              Effect: "Allow",
              Action: "ec2:StopInstances",
              Resource: "*",
              Condition: { StringEquals: { "aws:ResourceTag/team": "data" } },
            },
          ),
        ],
        says: [
          "access: policy.Statement[0].Resource allows ec2:TerminateInstances on every resource, without a condition on a tag of ours",
          "access: policy.Statement[1].Resource allows ec2:StopInstances on every resource, without a condition on a tag of ours",
        ],
      },
      {
        title: "secrets and data of everybody, though only read",
        resources: [
          iamPolicy({
            Effect: "Allow",
            Action: ["s3:GetObject", "secretsmanager:GetSecretValue", "s3:GetBucketLocation"],
            Resource: "*",
          }),
        ],
        says: [
          "access: policy.Statement[0].Resource allows s3:GetObject, secretsmanager:GetSecretValue on every resource, without a condition on a tag of ours",
        ],
      },
      {
        title: "all but what is listed",
        resources: [iamPolicy({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })],
        says: ["access: policy.Statement[0].NotAction allows all but what it lists"],
      },
      {
        title: "an inline policy of a role",
        resources: [
          aws("iam/role:Role", "job", {
            assumeRolePolicy: JSON.stringify({
              Statement: {
                Effect: "Allow",
                Action: "sts:AssumeRole",
                Principal: { Service: "ec2.amazonaws.com" },
              },
            }),
            inlinePolicies: [
              { name: "all", policy: { Statement: { Effect: "Allow", Action: "sqs:*", Resource: "*" } } },
            ],
          }),
        ],
        says: ["job: inlinePolicies[0].policy.Statement[0].Action allows sqs:* on every resource"],
      },
      {
        title: "a policy that is attached to a role, and is no JSON",
        resources: [untagged("iam/rolePolicy:RolePolicy", "job", { policy: "Allow everything" })],
        says: ["job: policy is no policy document"],
      },
      {
        title: "AWS's own policy of administrators",
        resources: [
          untagged("iam/rolePolicyAttachment:RolePolicyAttachment", "job", {
            policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
          }),
        ],
        says: ["job: policyArn attaches AdministratorAccess"],
      },
      {
        title: "a role that everyone may take",
        resources: [role({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: ["*"] } })],
        says: ["job: assumeRolePolicy.Statement[0].Principal lets everyone take the role"],
      },
      {
        title: "a role that each service account of the cluster may take",
        resources: [
          role(
            webIdentity({ StringEquals: { [`${ISSUER}:aud`]: "sts.amazonaws.com" } }),
            webIdentity(subject("system:serviceaccount:*:*")),
          ),
        ],
        says: [
          "job: assumeRolePolicy.Statement[0].Condition lets every service account of the cluster take the role",
          "job: assumeRolePolicy.Statement[1].Condition lets every service account of the cluster take the role",
        ],
      },
      {
        title: "a bucket for everyone",
        resources: [
          untagged("s3/bucketPolicy:BucketPolicy", "logs", {
            bucket: "acme-logs",
            policy: JSON.stringify({
              Statement: [
                {
                  Effect: "Allow",
                  Principal: "*",
                  Action: "s3:GetObject",
                  Resource: "arn:aws:s3:::acme-logs/*",
                },
              ],
            }),
          }),
        ],
        says: ["logs: policy.Statement[0].Principal lets everyone in"],
      },
    ],
    good: [
      {
        title: "actions that only look, and changes of what carries our tag",
        resources: [
          iamPolicy(
            {
              Effect: "Allow",
              Action: [
                "autoscaling:DescribeAutoScalingGroups",
                "ec2:Get*",
                "eks:ListNodegroups",
                "ecr:GetAuthorizationToken",
              ],
              Resource: "*",
            },
            {
              Effect: "Allow",
              Action: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
              Resource: "*",
              Condition: {
                StringEquals: { "aws:ResourceTag/k8s.io/cluster-autoscaler/prod": "owned" },
              },
            },
            {
              Effect: "Allow",
              Action: "s3:*",
              Resource: ["arn:aws:s3:::acme-lake", "arn:aws:s3:::acme-lake/*"],
            },
            { Effect: "Deny", Action: "*", Resource: "*" },
          ),
        ],
      },
      {
        title: "roles for AWS's services, for Pod Identity, and for one tenant's service accounts",
        resources: [
          role({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "eks.amazonaws.com" } }),
          role({
            Effect: "Allow",
            Action: ["sts:AssumeRole", "sts:TagSession"],
            Principal: { Service: "pods.eks.amazonaws.com" },
          }),
          role(webIdentity(subject("system:serviceaccount:acme-*:runner"))),
        ],
      },
      {
        title: "a bucket that refuses everyone without TLS, and a key for the account",
        resources: [
          untagged("s3/bucketPolicy:BucketPolicy", "logs", {
            bucket: "acme-logs",
            policy: JSON.stringify({
              Statement: {
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: "*",
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            }),
          }),
          aws(
            "kms/key:Key",
            "secrets",
            {
              enableKeyRotation: true,
              policy: JSON.stringify({
                Statement: {
                  Effect: "Allow",
                  Principal: { AWS: "arn:aws:iam::123456789012:root" },
                  Action: "kms:*",
                  Resource: "*",
                },
              }),
            },
            { protect: true },
          ),
          untagged("iam/rolePolicyAttachment:RolePolicyAttachment", "nodes", {
            policyArn: "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
          }),
        ],
      },
      {
        title: "a document that is not known yet",
        resources: [untagged("iam/rolePolicy:RolePolicy", "job", { policy: UNKNOWN })],
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
