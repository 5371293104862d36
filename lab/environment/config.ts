import { isIP } from "node:net";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Connection } from "../../schema/connection.ts";
import { LAB } from "../settings.ts";
import type { ClusterFacts } from "./cluster.ts";

/** The root project's Pulumi.yaml for use from another folder: its program stays where it is. */
export function projectText(committed: string, projectDir: string): string {
  const document = parseDocument(committed);
  document.set("main", join(projectDir, String(document.get("main"))));
  return document.toString();
}

/**
 * The committed Pulumi.lab.yaml, for this lab: the same where the lab runs as processes of this machine. In kind, the node has
 * another name, S3 another address, DNS runs in pods, and no stream has high availability: where pods reach the Kubernetes API is not known.
 * @param worker The value of `mayfly:worker`, where workers are wanted in the cluster.
 */
export function stackText(
  committed: string,
  s3: Connection["s3"],
  facts: Pick<ClusterFacts, "node">,
  worker?: object,
): string {
  const document = parseDocument(committed);
  document.setIn(["config", "mayfly:pools", 0, "nodes"], [facts.node]);
  document.setIn(["config", "mayfly:pools", 0, "allocatable", "node"], facts.node);
  document.setIn(["config", "mayfly:s3", "endpoint"], s3.endpoint);
  document.setIn(["config", "mayfly:s3", "region"], s3.region);
  document.setIn(["config", "mayfly:s3", "pathStyle"], s3.pathStyle);
  if (worker !== undefined) document.setIn(["config", "mayfly:worker"], worker);
  const { hostname, port, protocol } = new URL(s3.endpoint);
  if (hostname !== LAB.nodeIp) {
    if (isIP(hostname) !== 4) throw new Error(`a network policy needs S3 by IPv4 address, not ${hostname}`);
    const s3Port = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
    document.deleteIn(["config", "mayfly:kubernetesApi"]);
    document.setIn(["config", "mayfly:tenants", 0, "allowHighAvailability"], false);
    document.setIn(
      ["config", "mayfly:egress"],
      [
        {
          name: "dns",
          peers: [
            {
              kind: "pods",
              namespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
              podLabels: { "k8s-app": "kube-dns" },
            },
          ],
          ports: [
            { protocol: "UDP", port: 53 },
            { protocol: "TCP", port: 53 },
          ],
        },
        {
          name: "s3",
          peers: [{ kind: "cidr", cidr: `${hostname}/32` }],
          ports: [{ protocol: "TCP", port: s3Port }],
        },
      ],
    );
  }
  return document.toString();
}
