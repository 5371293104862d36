import { UNCHANGED } from "../compare.ts";
import { type Provider, refuse } from "../provider.ts";
import { constructCluster } from "./cluster.ts";

/** The stand-in for the eks plugin, which has components only. */
export function createEksProvider(): Provider {
  const refuseResource = refuse("of package eks only Cluster is");
  return {
    diffConfig: () => UNCHANGED,
    configure: () => undefined,
    check: (urn) => refuseResource(urn),
    diff: (urn) => refuseResource(urn),
    create: (urn) => refuseResource(urn),
    read: (urn) => refuseResource(urn),
    update: (urn) => refuseResource(urn),
    invoke: (token) => refuseResource(token),
    construct: async (request) =>
      request.type === "eks:index:Cluster" ? await constructCluster(request) : refuseResource(request.type),
  };
}
