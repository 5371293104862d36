import { UNKNOWN } from "../../../../policy/values.ts";
import { aws, type Example, iamPolicy, role, untagged } from "./builders.ts";

const ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/AAAA";
const PROVIDER = `arn:aws:iam::123456789012:oidc-provider/${ISSUER}`;

const subject = (name: string) => ({
  StringLike: { [`${ISSUER}:sub`]: name, [`${ISSUER}:aud`]: "sts.amazonaws.com" },
});
const webIdentity = (condition: unknown) => ({
  Effect: "Allow",
  Action: "sts:AssumeRoleWithWebIdentity",
  Principal: { Federated: PROVIDER },
  Condition: condition,
});

export const IAM_EXAMPLES: readonly Example[] = [
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
];
