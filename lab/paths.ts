import { createHash } from "node:crypto";
import { join } from "node:path";
import { stateDir } from "../base/paths.ts";

/**
 * What belongs to the running lab only: sockets, process records, containerd's state. At a fixed place, so that a
 * second lab from another state folder is noticed, and gone after a reboot like the processes it describes.
 */
export const RUN_DIR = "/run/mayfly-lab";

/** A state folder below /root is closed to all other users. Here each lab has a folder named after its state folder. */
const SYSTEM_DATA = "/var/lib/mayfly-lab";

/** Every file and folder of a lab. All absolute. */
export interface LabPaths {
  /** The lab's own part of the state folder. */
  readonly root: string;
  readonly logs: string;
  readonly certificates: string;
  /** Kubeconfigs and config files that `lab up` writes. */
  readonly config: string;
  readonly etcd: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly cniConfig: string;
  readonly cniBin: string;
  /** host-local's reserved addresses. */
  readonly cniData: string;
  readonly s3Data: string;
  readonly s3Accounts: string;
  readonly s3Credentials: string;
  /** Postgres' data, which must lie where Postgres' own user gets at it. */
  readonly postgres: string;
  /** Password file of the shared ledger, mode 0600. */
  readonly ledgerPassword: string;
  /** Present while workers are wanted in the cluster: which image and how many. */
  readonly workers: string;
  /** How commands of this machine reach the environment as its workers do: with the state in S3. */
  readonly workersConnection: string;
  /** Present while this lab is a kind cluster. */
  readonly kindMarker: string;
  readonly kubeconfig: string;
  readonly connection: string;
  readonly contract: string;
  readonly pulumiHome: string;
  readonly pulumiState: string;
  readonly passphrase: string;
}

/** The paths of the lab whose state lies in `root`. */
export function labPaths(root: string = join(stateDir(), "lab")): LabPaths {
  return {
    root,
    logs: join(root, "log"),
    certificates: join(root, "certificates"),
    config: join(root, "config"),
    etcd: join(root, "etcd"),
    containerd: join(root, "containerd"),
    kubelet: join(root, "kubelet"),
    podLogs: join(root, "pod-logs"),
    cniConfig: join(root, "cni", "conf"),
    cniBin: join(root, "cni", "bin"),
    cniData: join(root, "cni", "addresses"),
    s3Data: join(root, "s3", "data"),
    s3Accounts: join(root, "s3", "accounts"),
    s3Credentials: join(root, "s3", "credentials"),
    postgres: join(SYSTEM_DATA, createHash("sha256").update(root).digest("hex").slice(0, 8), "postgres"),
    ledgerPassword: join(root, "ledger", "pgpass"),
    workers: join(root, "workers.json"),
    workersConnection: join(root, "workers-connection.json"),
    kindMarker: join(root, "kind"),
    kubeconfig: join(root, "kubeconfig"),
    connection: join(root, "connection.json"),
    contract: join(root, "contract.json"),
    pulumiHome: join(root, "..", "pulumi-home"),
    pulumiState: join(root, "..", "pulumi"),
    passphrase: join(root, "..", "pulumi-passphrase"),
  };
}

/** Sockets and records below {@link RUN_DIR}. */
export const RUN = {
  dir: RUN_DIR,
  /** The state folder of the lab that runs. */
  owner: join(RUN_DIR, "owner"),
  units: join(RUN_DIR, "units"),
  sysctls: join(RUN_DIR, "sysctls.json"),
  containerdState: join(RUN_DIR, "containerd"),
  runc: join(RUN_DIR, "runc"),
  containerdSocket: join(RUN_DIR, "containerd.sock"),
} as const;
