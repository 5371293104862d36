import { at, equal, type Json, listAt, recordAt, textAt } from "../json.ts";
import { conditionOf, explain, type Judge, pending, READY } from "./verdict.ts";

const needsEndpoints = (service: Json): boolean =>
  textAt(service, "spec", "type") !== "ExternalName" &&
  textAt(service, "spec", "clusterIP") !== "None" &&
  Object.keys(recordAt(service, "spec", "selector")).length > 0;

/**
 * Has its address, and no selected pod is unready. No pods at all is fine: what the Service selects may come later.
 * https://github.com/pulumi/pulumi-kubernetes/pull/3142
 */
export const judgeService: Judge = (service, { endpointSlices = [] }) => {
  if (needsEndpoints(service)) {
    if (endpointSlices.length === 0) return pending("waiting for the endpoints of the Service");
    const unready = endpointSlices
      .flatMap((slice) => listAt(slice, "endpoints"))
      .filter((endpoint) => at(endpoint, "conditions", "ready") === false).length;
    if (unready > 0)
      return pending(
        `${unready} of the pods that the Service selects ${unready === 1 ? "is" : "are"} not ready`,
      );
  }
  const balanced = textAt(service, "spec", "type") === "LoadBalancer";
  if (balanced && listAt(service, "status", "loadBalancer", "ingress").length === 0)
    return pending("no address was allocated yet; does the cluster have a load balancer controller?");
  return READY;
};

export const judgeIngress: Judge = (ingress) =>
  listAt(ingress, "status", "loadBalancer", "ingress").length > 0
    ? READY
    : pending("no address was allocated yet; does the cluster have an ingress controller?");

/** Bound; or pending by right, where the storage waits for the first pod that uses the claim. */
export const judgeClaim: Judge = (claim, { bindingMode }) => {
  const phase = textAt(claim, "status", "phase") ?? "";
  if (phase === "Bound") return READY;
  if (phase === "Pending" && bindingMode === "WaitForFirstConsumer") return READY;
  const storageClass = textAt(claim, "spec", "storageClassName");
  const from = storageClass === undefined ? "no storage class is set" : `storage class "${storageClass}"`;
  return pending(`the claim is ${phase === "" ? "new" : phase.toLowerCase()} (${from})`);
};

export const judgeVolume: Judge = (volume) => {
  const phase = textAt(volume, "status", "phase") ?? "";
  return phase === "Available" || phase === "Bound" ? READY : pending(`the volume is ${phase.toLowerCase()}`);
};

/** In force when the controller has copied the limits to the status. */
export const judgeQuota: Judge = (quota) => {
  const wanted = recordAt(quota, "spec", "hard");
  return equal(wanted, recordAt(quota, "status", "hard")) ? READY : pending("the quota is not in force yet");
};

/** A token Secret is empty until its controller has filled it. */
export const judgeSecret: Judge = (secret) => {
  if (textAt(secret, "type") !== "kubernetes.io/service-account-token") return READY;
  return Object.keys(recordAt(secret, "data")).length > 0 ? READY : pending("the token is not there yet");
};

/** Usable when the server has established it; until then its custom resources are unknown. */
export const judgeDefinition: Judge = (definition) => {
  if (conditionOf(definition, "Established")?.status === "True") return READY;
  const names = conditionOf(definition, "NamesAccepted");
  return pending(names?.status === "False" ? explain(names) : "the definition is not established yet");
};
