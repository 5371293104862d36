import { Address4 } from "ip-address";
import type { Egress, NetworkPeer } from "../../../schema/contract.ts";
import type { EnvironmentConfig } from "../../../schema/environment/index.ts";
import { egressOf } from "../egress.ts";
import type { Problem } from "./problem.ts";

/** A worker that can't reach its ledger would only be seen to wait. */
export function workerProblems(config: EnvironmentConfig): Problem[] {
  const { worker } = config;
  if (worker === undefined) return [];
  const { host, port } = worker.ledger;
  const rules = [...egressOf(config), ...worker.egress];
  if (rules.some((rule) => opens(rule, port) && rule.peers.some((peer) => mayHold(peer, host)))) return [];
  return [
    {
      path: "worker.egress",
      message: `lets nobody reach the ledger at ${host}, TCP port ${port}: add its address`,
    },
  ];
}

const opens = ({ ports }: Egress, port: number): boolean =>
  ports.some((open) => open.protocol === "TCP" && open.port === port);

/** Where a name leads to is not known here, nor which addresses pods get. */
function mayHold(peer: NetworkPeer, host: string): boolean {
  if (peer.kind === "pods" || !Address4.isValid(host)) return true;
  const address = new Address4(host);
  const within = (cidr: string): boolean => address.isInSubnet(new Address4(cidr));
  return within(peer.cidr) && !peer.except.some(within);
}
