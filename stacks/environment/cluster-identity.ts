import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { UserError } from "../../base/errors.ts";

/** The part of an earlier update's outputs that says on which cluster it was. */
const Previous = z.looseObject({ clusterId: z.string() });

/**
 * The identity of the cluster that the kubeconfig leads to: the UID of namespace kube-system. Refuses another cluster than that of the
 * last update: its objects would be made anew there, and those on the old one forgotten.
 *
 * Await it before anything else is registered. It has a provider of its own, so that a refused update doesn't leave the wrong
 * kubeconfig in the state of the provider that `pulumi destroy` uses. An API that can't be reached ends the program here too, with
 * the plugin's one error that names the address.
 *
 * @param how Arguments of the program's own provider.
 * @throws UserError `other-cluster`.
 */
export async function refuseOtherCluster(how: kubernetes.ProviderArgs): Promise<string> {
  const provider = new kubernetes.Provider("kubernetes-identity", how);
  const [before, now] = await Promise.all([previousCluster(), clusterId(provider)]);
  if (before === undefined || before === now) return now;
  const stack = pulumi.getStack();
  throw new UserError(
    "other-cluster",
    `The kubeconfig leads to another cluster than at the last update of stack ${stack}. Then: ${before}. Now: ${now}.`,
    {
      path: "the kubeconfig (mayfly:cluster, or KUBECONFIG)",
      hint: `Point it to the cluster of before; for another cluster, make a stack of its own: pulumi stack init <name>. If the old cluster is gone for good, forget what was on it: pulumi stack rm ${stack} --force --preserve-config && pulumi stack init ${stack}. To compare: kubectl get namespace kube-system -o jsonpath={.metadata.uid}`,
    },
  );
}

/** What this stack's own last update said; undefined before the first one. */
async function previousCluster(): Promise<string | undefined> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const previous = new pulumi.StackReference("previous", { name });
  const contract: { readonly value?: unknown } = await previous.getOutputDetails("contract");
  const parsed = Previous.safeParse(contract.value);
  return parsed.success ? parsed.data.clusterId : undefined;
}

async function clusterId(provider: kubernetes.Provider): Promise<string> {
  const system = kubernetes.core.v1.Namespace.get("existing-kube-system", "kube-system", { provider });
  return await new Promise((resolve) => {
    // Never called where the read fails: the engine ends the program then.
    system.metadata.uid.apply(resolve);
  });
}
