import { Provider as EksProvider } from "@pulumi/eks/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { EksCluster, type EksClusterArgs } from "../../../components/cluster/eks-cluster.ts";
import { EncryptionKey } from "../../../components/cluster/key.ts";
import { NodeAddons } from "../../../components/cluster/node-addons.ts";
import { SystemAddons } from "../../../components/cluster/system-addons.ts";
import { NodeRole } from "../../../components/nodes/node-role.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { registrations } from "../platform/example.ts";
import { json, MODES, protectedNames, recordAws } from "./recorded.ts";

const VERSIONS = {
  vpcCni: "v1.21.1-eksbuild.7",
  kubeProxy: "v1.34.6-eksbuild.2",
  podIdentityAgent: "v1.3.10-eksbuild.3",
  coreDns: "v1.13.2-eksbuild.4",
  ebsCsi: "v1.62.0-eksbuild.1",
};
const KEY = "arn:aws:kms:eu-central-1:123456789012:key/prod";

const PROD: Omit<EksClusterArgs, "provider" | "eksProvider"> = {
  clusterName: "mayfly-prod",
  region: "eu-central-1",
  version: "1.34",
  vpcId: "vpc-prod",
  subnetIds: ["subnet-a", "subnet-b", "subnet-c"],
  endpoint: { access: "private" },
  encryptionKeyArn: KEY,
  logTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
  access: [
    { name: "platform", principalArn: "arn:aws:iam::123456789012:role/platform", level: "admin" },
    { name: "support", principalArn: "arn:aws:iam::123456789012:role/support", level: "view" },
  ],
  protect: true,
};

describe("the encryption key", () => {
  const make = (protect: boolean) =>
    recordAws(
      (provider) =>
        new EncryptionKey("key", {
          alias: "mayfly-prod",
          region: "eu-central-1",
          accountId: "123456789012",
          protect,
          provider,
        }),
    );

  test("is one key that rotates, with an alias", async () => {
    const graph = await make(true);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "key  mayfly:cluster:EncryptionKey",
      "key-alias  aws:kms/alias:Alias  by aws  in key",
      "key-key  aws:kms/key:Key  by aws  in key",
    ]);
    expect(graph.get("key-key").inputs).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
    expect(graph.get("key-alias").inputs).toEqual({ name: "alias/mayfly-prod", targetKeyId: "key-key" });
    expect(protectedNames(graph)).toEqual(["key-key"]);
    expect(protectedNames(await make(false))).toEqual([]);
  });

  test("lets others than this account's IAM use it only for volumes, through EC2, in this account and region", async () => {
    const { policy } = (await make(true)).get("key-key").inputs;
    expect(json(policy)).toMatchObject({
      Statement: [
        { Principal: { AWS: "arn:aws:iam::123456789012:root" } },
        {
          Principal: { AWS: "*" },
          Condition: {
            StringEquals: {
              "kms:CallerAccount": "123456789012",
              "kms:ViaService": "ec2.eu-central-1.amazonaws.com",
            },
          },
        },
      ],
    });
  });
});

describe.each(MODES)("the control plane, in %s", (_mode, mode) => {
  test("is one remote component under ours, with our provider, and gives its outputs on", async () => {
    const graph = await recordAws((provider) => {
      const { clusterName, kubeconfig, clusterSecurityGroupId, certificateAuthority } = new EksCluster(
        "cluster",
        { ...PROD, provider, eksProvider: new EksProvider("eks") },
      );
      return { clusterName, kubeconfig, clusterSecurityGroupId, certificateAuthority };
    }, mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "cluster  mayfly:cluster:EksCluster",
      "cluster-eks  eks:index:Cluster  by eks  in cluster",
    ]);
    expect(graph.get("cluster-eks").providers).toEqual(["aws", "eks"]);
    expect(graph.outputs).toEqual({
      clusterName: "mayfly-prod",
      kubeconfig: '{"kind":"Config"}',
      clusterSecurityGroupId: "sg-cluster",
      certificateAuthority: "Q0E=",
    });
  });
});

describe("the control plane", () => {
  const make = (changes: Partial<EksClusterArgs> = {}) =>
    recordAws(
      (provider) =>
        new EksCluster("cluster", { ...PROD, ...changes, provider, eksProvider: new EksProvider("eks") }),
    );

  // @pulumi/eks makes what these ask for out of our sight: hold every one of them.
  test("is asked for with exactly these arguments", async () => {
    expect((await make()).get("cluster-eks").inputs).toEqual({
      name: "mayfly-prod",
      version: "1.34",
      vpcId: "vpc-prod",
      privateSubnetIds: ["subnet-a", "subnet-b", "subnet-c"],
      endpointPrivateAccess: true,
      endpointPublicAccess: false,
      encryptionConfigKeyArn: KEY,
      enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
      authenticationMode: "API",
      accessEntries: {
        platform: {
          principalArn: "arn:aws:iam::123456789012:role/platform",
          accessPolicies: {
            admin: {
              policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
              accessScope: { type: "cluster" },
            },
          },
        },
        support: {
          principalArn: "arn:aws:iam::123456789012:role/support",
          accessPolicies: {
            view: {
              policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
              accessScope: { type: "cluster" },
            },
          },
        },
      },
      createOidcProvider: true,
      deletionProtection: true,
      upgradePolicy: { supportType: "EXTENDED" },
      skipDefaultNodeGroup: true,
      createInstanceRole: false,
      skipDefaultSecurityGroups: true,
      bootstrapSelfManagedAddons: false,
      useDefaultVpcCni: true,
      corednsAddonOptions: expect.objectContaining({ enabled: false }) as unknown,
      kubeProxyAddonOptions: expect.objectContaining({ enabled: false }) as unknown,
    });
  });

  test("is open only to the named networks where it is public, and stays private to nodes", async () => {
    const graph = await make({ endpoint: { access: "public", allowedCidrs: ["203.0.113.0/24"] } });
    expect(graph.get("cluster-eks").inputs).toMatchObject({
      endpointPrivateAccess: true,
      endpointPublicAccess: true,
      publicAccessCidrs: ["203.0.113.0/24"],
    });
  });

  test("refuses to be deleted where it is protected, by Pulumi and by EKS", async () => {
    expect(protectedNames(await make())).toEqual(["cluster-eks"]);
    const free = await make({ protect: false });
    expect(protectedNames(free)).toEqual([]);
    expect(free.get("cluster-eks").inputs["deletionProtection"]).toBe(false);
  });

  test("uses the policies of its partition", async () => {
    const { accessEntries } = (await make({ region: "cn-north-1" })).get("cluster-eks").inputs;
    expect(JSON.stringify(accessEntries)).toContain(
      "arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    );
  });
});

describe.each(MODES)("add-ons that nodes need, in %s", (_mode, mode) => {
  const make = () =>
    recordAws(
      (provider) =>
        new NodeAddons("node-addons", {
          clusterName: "mayfly-prod",
          region: "eu-central-1",
          versions: VERSIONS,
          podSubnets: [
            { zone: "eu-central-1a", podSubnetId: "subnet-pods-a" },
            { zone: "eu-central-1b", podSubnetId: "subnet-pods-b" },
          ],
          clusterSecurityGroupId: "sg-cluster",
          provider,
        }),
      mode,
    );

  test("are these, pinned", async () => {
    const graph = await make();
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "node-addons  mayfly:cluster:NodeAddons",
      "node-addons-kube-proxy  aws:eks/addon:Addon  by aws  in node-addons",
      "node-addons-pod-identity-agent  aws:eks/addon:Addon  by aws  in node-addons",
      "node-addons-vpc-cni  aws:eks/addon:Addon  by aws  in node-addons",
      "node-addons-vpc-cni-identity  mayfly:cluster:PodIdentityRole  in node-addons",
      "node-addons-vpc-cni-identity-AmazonEKS_CNI_Policy  aws:iam/rolePolicyAttachment:RolePolicyAttachment  by aws  in node-addons-vpc-cni-identity",
      "node-addons-vpc-cni-identity-role  aws:iam/role:Role  by aws  in node-addons-vpc-cni-identity",
    ]);
    expect(
      graph
        .ofType(":Addon")
        .map(({ inputs }) => `${String(inputs["addonName"])} ${String(inputs["addonVersion"])}`)
        .sort(),
    ).toEqual([
      "eks-pod-identity-agent v1.3.10-eksbuild.3",
      "kube-proxy v1.34.6-eksbuild.2",
      "vpc-cni v1.21.1-eksbuild.7",
    ]);
    for (const { inputs } of graph.ofType(":Addon"))
      expect(inputs["resolveConflictsOnUpdate"]).toBe("OVERWRITE");
  });

  test("give pods addresses of their zone's pod subnet by prefixes, annotate them for Calico, and enforce no policies", async () => {
    const { configurationValues } = (await make()).get("node-addons-vpc-cni").inputs;
    expect(json(configurationValues)).toEqual({
      env: {
        ENABLE_PREFIX_DELEGATION: "true",
        WARM_PREFIX_TARGET: "1",
        AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true",
        ENI_CONFIG_LABEL_DEF: "topology.kubernetes.io/zone",
        ANNOTATE_POD_IP: "true",
      },
      eniConfig: {
        create: true,
        region: "eu-central-1",
        subnets: {
          "eu-central-1a": { id: "subnet-pods-a", securityGroups: ["sg-cluster"] },
          "eu-central-1b": { id: "subnet-pods-b", securityGroups: ["sg-cluster"] },
        },
      },
      enableNetworkPolicy: "false",
    });
  });

  test("give the rights to attach network interfaces to aws-node of this cluster alone, before it starts", async () => {
    const graph = await make();
    const addon = graph.get("node-addons-vpc-cni");
    expect(addon.inputs["podIdentityAssociations"]).toEqual([
      {
        roleArn: "arn:aws:iam::123456789012:role/node-addons-vpc-cni-identity-role",
        serviceAccount: "aws-node",
      },
    ]);
    expect(addon.dependencies).toEqual(
      expect.arrayContaining([
        "node-addons-pod-identity-agent",
        "node-addons-vpc-cni-identity-AmazonEKS_CNI_Policy",
      ]),
    );
    expect(json(graph.get("node-addons-vpc-cni-identity-role").inputs["assumeRolePolicy"])).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "pods.eks.amazonaws.com" },
          Action: ["sts:AssumeRole", "sts:TagSession"],
          Condition: {
            StringEquals: {
              "aws:RequestTag/eks-cluster-name": "mayfly-prod",
              "aws:RequestTag/kubernetes-namespace": "kube-system",
              "aws:RequestTag/kubernetes-service-account": "aws-node",
            },
          },
        },
      ],
    });
  });
});

describe.each(MODES)("add-ons on the system pool, in %s", (_mode, mode) => {
  const make = () =>
    recordAws((provider) => {
      // Any component will do in its place.
      const pool = new NodeRole("pool", { region: "eu-central-1", provider });
      new SystemAddons(
        "system-addons",
        {
          clusterName: "mayfly-prod",
          region: "eu-central-1",
          versions: VERSIONS,
          systemNodes: { "mayfly.dev/pool": "system" },
          dnsReplicas: 3,
          encryptionKeyArn: pulumi.output(KEY),
          provider,
        },
        { dependsOn: [pool] },
      );
    }, mode);

  test("are these, and all wait for the pool", async () => {
    const graph = await make();
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph).filter((line) => line.startsWith("system-addons"))).toEqual([
      "system-addons  mayfly:cluster:SystemAddons",
      "system-addons-coredns  aws:eks/addon:Addon  by aws  in system-addons",
      "system-addons-ebs-csi  aws:eks/addon:Addon  by aws  in system-addons",
      "system-addons-ebs-csi-identity  mayfly:cluster:PodIdentityRole  in system-addons",
      "system-addons-ebs-csi-identity-AmazonEBSCSIDriverPolicy  aws:iam/rolePolicyAttachment:RolePolicyAttachment  by aws  in system-addons-ebs-csi-identity",
      "system-addons-ebs-csi-identity-policy  aws:iam/rolePolicy:RolePolicy  by aws  in system-addons-ebs-csi-identity",
      "system-addons-ebs-csi-identity-role  aws:iam/role:Role  by aws  in system-addons-ebs-csi-identity",
    ]);
    for (const { name, dependencies } of graph.resources) {
      if (name.startsWith("system-addons")) expect(dependencies, name).toContain("pool-role");
    }
  });

  test("keep names answered when a zone or a node goes", async () => {
    expect(json((await make()).get("system-addons-coredns").inputs["configurationValues"])).toEqual({
      nodeSelector: { "mayfly.dev/pool": "system" },
      replicaCount: 3,
      podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
        },
      ],
    });
  });

  test("let the volume driver use the environment's key and no other", async () => {
    const graph = await make();
    expect(json(graph.get("system-addons-ebs-csi").inputs["configurationValues"])).toEqual({
      controller: { nodeSelector: { "mayfly.dev/pool": "system" } },
    });
    expect(json(graph.get("system-addons-ebs-csi-identity-policy").inputs["policy"])).toMatchObject({
      Statement: [
        { Resource: [KEY], Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } } },
        { Resource: [KEY] },
      ],
    });
  });
});
