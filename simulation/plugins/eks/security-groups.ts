import { show } from "../../json.ts";
import { awsChild, type Build, tagsOf } from "./build.ts";
import { idOf, made, output, plain, type Registered, type Value } from "./monitor.ts";

const RULE = "aws:ec2/securityGroupRule:SecurityGroupRule";
const EVERYWHERE = {
  type: plain("egress"),
  description: plain("Allow internet access."),
  fromPort: plain(0),
  toPort: plain(0),
  protocol: plain("-1"),
  cidrBlocks: plain(["0.0.0.0/0"]),
};

/** The security group of the control plane, where the program wants the default one. */
export async function clusterSecurityGroup(build: Build): Promise<Registered> {
  const name = `${build.name}-eksClusterSecurityGroup`;
  const group = await awsChild(build, "aws:ec2/securityGroup:SecurityGroup", name, {
    vpcId: build.input("vpcId"),
    revokeRulesOnDelete: plain(true),
    tags: tagsOf(build, name, build.input("clusterSecurityGroupTags")),
  });
  await awsChild(build, RULE, `${build.name}-eksClusterInternetEgressRule`, {
    ...EVERYWHERE,
    securityGroupId: idOf(group),
  });
  return group;
}

/** The security group of nodes and its rules: nodejs/eks/nodes/securitygroup.ts. */
export async function nodeSecurityGroup(
  build: Build,
  cluster: Registered,
  controlPlane: Value,
): Promise<{ readonly group: Registered; readonly ingress: Registered }> {
  const name = `${build.name}-nodeSecurityGroup`;
  const owned = made([output(cluster, "name")], (clusterName) => ({
    [`kubernetes.io/cluster/${show(clusterName)}`]: "owned",
  }));
  const group = await awsChild(build, "aws:ec2/securityGroup:SecurityGroup", name, {
    vpcId: build.input("vpcId"),
    revokeRulesOnDelete: plain(true),
    tags: tagsOf(build, name, build.input("nodeSecurityGroupTags"), [owned]),
  });
  const ingress = { type: plain("ingress") };
  const [, , , , toCluster] = await Promise.all([
    awsChild(build, RULE, `${build.name}-eksNodeIngressRule`, {
      ...ingress,
      description: plain("Allow nodes to communicate with each other"),
      fromPort: plain(0),
      toPort: plain(0),
      protocol: plain("-1"),
      securityGroupId: idOf(group),
      self: plain(true),
    }),
    awsChild(build, RULE, `${build.name}-eksNodeClusterIngressRule`, {
      ...ingress,
      description: plain(
        "Allow worker Kubelets and pods to receive communication from the cluster control plane",
      ),
      fromPort: plain(1025),
      toPort: plain(65535),
      protocol: plain("tcp"),
      securityGroupId: idOf(group),
      sourceSecurityGroupId: controlPlane,
    }),
    awsChild(build, RULE, `${build.name}-eksExtApiServerClusterIngressRule`, {
      ...ingress,
      description: plain(
        "Allow pods running extension API servers on port 443 to receive communication from cluster control plane",
      ),
      fromPort: plain(443),
      toPort: plain(443),
      protocol: plain("tcp"),
      securityGroupId: idOf(group),
      sourceSecurityGroupId: controlPlane,
    }),
    awsChild(build, RULE, `${build.name}-eksNodeInternetEgressRule`, {
      ...EVERYWHERE,
      securityGroupId: idOf(group),
    }),
    awsChild(build, RULE, `${build.name}-eksClusterIngressRule`, {
      ...ingress,
      description: plain("Allow pods to communicate with the cluster API Server"),
      fromPort: plain(443),
      toPort: plain(443),
      protocol: plain("tcp"),
      securityGroupId: controlPlane,
      sourceSecurityGroupId: idOf(group),
    }),
  ]);
  return { group, ingress: toCluster };
}
