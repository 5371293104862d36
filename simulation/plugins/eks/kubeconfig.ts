import { isList, isRecord, show, textAt } from "../../json.ts";
import { made, output, type Registered, type Value } from "./monitor.ts";

/** The issuer of the cluster's tokens. */
export const issuerOf = (cluster: Registered): Value =>
  made([output(cluster, "identities")], (identities) => {
    const [first] = isList(identities) ? identities : [];
    const oidcs = isRecord(first) ? first["oidcs"] : undefined;
    const [oidc] = isList(oidcs) ? oidcs : [];
    return textAt(oidc, "issuer") ?? "";
  });

/** https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html, as `generateKubeconfig` writes it. */
export const kubeconfigOf = (cluster: Registered): Value =>
  made(
    ["name", "endpoint", "certificateAuthority", "arn"].map((property) => output(cluster, property)),
    (name = "", endpoint = "", authority = {}, arn = "") => ({
      apiVersion: "v1",
      clusters: [
        {
          cluster: { server: endpoint, "certificate-authority-data": textAt(authority, "data") ?? "" },
          name: "kubernetes",
        },
      ],
      contexts: [{ context: { cluster: "kubernetes", user: "aws" }, name: "aws" }],
      "current-context": "aws",
      kind: "Config",
      users: [
        {
          name: "aws",
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1beta1",
              command: "aws",
              args: [
                "--region",
                show(arn).split(":")[3] ?? "",
                "eks",
                "get-token",
                "--cluster-name",
                name,
                "--output",
                "json",
              ],
              env: [
                {
                  name: "KUBERNETES_EXEC_INFO",
                  value: '{"apiVersion": "client.authentication.k8s.io/v1beta1"}',
                },
              ],
            },
          },
        },
      ],
    }),
  );
