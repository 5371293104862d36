import { stringify } from "yaml";
import { LAB } from "../settings.ts";
import type { Pem } from "./certificates.ts";

export const API_URL = `https://${LAB.nodeIp}:${LAB.ports.apiserver}`;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig with everything inside, so that it works from any folder and can be handed on as one text. */
export function kubeconfigText(user: string, pem: Pem): string {
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: LAB.nodeName,
          cluster: { server: API_URL, "certificate-authority-data": base64(pem.ca) },
        },
      ],
      users: [
        {
          name: user,
          user: { "client-certificate-data": base64(pem.cert), "client-key-data": base64(pem.key) },
        },
      ],
      contexts: [{ name: LAB.nodeName, context: { cluster: LAB.nodeName, user } }],
      "current-context": LAB.nodeName,
    },
    { lineWidth: 0 },
  );
}
