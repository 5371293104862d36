import { runLabels, runNames } from "../../../jobs/plan/names.ts";
import type {
  FolderFact,
  LeaseFact,
  LockFact,
  NamespaceFact,
  ReapFacts,
  RunFact,
  StackFact,
} from "../../../jobs/reap/types.ts";

export const NOW = Date.UTC(2026, 10, 24, 10);
export const MINUTE = 60_000;
export const GRACE = 15 * MINUTE;
export const ago = (minutes: number): number => NOW - minutes * MINUTE;

export const factsOf = (parts: Partial<ReapFacts>): ReapFacts => ({
  now: NOW,
  graceMs: GRACE,
  environment: "prod",
  tenantNamespaces: ["tenant-acme"],
  runs: [],
  namespaces: [],
  leases: [],
  stacks: [],
  locks: [],
  folders: [],
  ...parts,
});

export const labelsOf = (run: string, attempt = 1): Record<string, string> => ({
  ...runLabels({
    engine: "spark",
    version: "4.0.1",
    tenant: "acme",
    job: "orders",
    run,
    attempt,
    environment: "prod",
    environmentClass: "production",
  }),
  "mayfly.dev/role": "run",
});

export const stackOf = (run: string, attempt = 1): string => runNames("acme", "orders", run, attempt).stack;

export const runFact = (run: string, more: Partial<RunFact> = {}): RunFact => ({
  run,
  tenant: "acme",
  job: "orders",
  environment: "prod",
  state: "succeeded",
  attempt: 1,
  stack: stackOf(run),
  endedAt: ago(60),
  ...more,
});

export const liveFact = (run: string, more: Partial<RunFact> = {}): RunFact =>
  runFact(run, { state: "running", endedAt: undefined, ...more });

export const namespaceFact = (run: string, more: Partial<NamespaceFact> = {}): NamespaceFact => ({
  name: stackOf(run),
  uid: `uid-${run}`,
  resourceVersion: "1",
  labels: labelsOf(run),
  createdAt: ago(60),
  terminating: false,
  ...more,
});

export const leaseFact = (run: string, more: Partial<LeaseFact> = {}): LeaseFact => ({
  namespace: "tenant-acme",
  name: run,
  uid: `uid-${run}`,
  resourceVersion: "1",
  labels: labelsOf(run),
  createdAt: ago(60),
  holder: "host/1/ab",
  renewedAt: ago(59),
  ...more,
});

export const stackFact = (run: string, more: Partial<StackFact> = {}): StackFact => ({
  stack: stackOf(run),
  path: `/state/${stackOf(run)}.json`,
  changedAt: ago(60),
  state: { objects: 3, run, environment: "prod" },
  ...more,
});

export const lockFact = (run: string, more: Partial<LockFact> = {}): LockFact => ({
  stack: stackOf(run),
  path: `/locks/${stackOf(run)}/1.json`,
  changedAt: ago(60),
  ownerLives: false,
  ...more,
});

export const folderFact = (run: string, more: Partial<FolderFact> = {}): FolderFact => ({
  name: `${stackOf(run).slice(-40)}-a1B2c3`,
  path: `/work/${run}`,
  changedAt: ago(60),
  inUse: false,
  ...more,
});
