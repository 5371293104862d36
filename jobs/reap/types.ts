import type { RunStateName } from "../ledger/index.ts";

/** Exit code of `mayfly reap` where orphans were found that it was not told to remove. Stable; docs/outcomes.md. */
export const ORPHANS_EXIT = 22;

/** What the ledger says of a run. Times here and below are milliseconds since 1970. */
export interface RunFact {
  readonly run: string;
  readonly tenant: string;
  readonly job: string;
  readonly environment: string;
  readonly state: RunStateName;
  readonly attempt: number;
  /** Of the last attempt. */
  readonly stack: string | undefined;
  /** Undefined until it has ended. */
  readonly endedAt: number | undefined;
}

/** A namespace with the labels app.kubernetes.io/managed-by=mayfly and mayfly.dev/run. */
export interface NamespaceFact {
  readonly name: string;
  readonly uid: string;
  /** Changes with every write, labels included. */
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: number | undefined;
  readonly terminating: boolean;
}

/** A lease with those labels in a tenant's long-lived namespace. */
export interface LeaseFact extends Omit<NamespaceFact, "terminating"> {
  readonly namespace: string;
  /** Empty where it was given back. */
  readonly holder: string;
  /** By its holder's clock. */
  readonly renewedAt: number | undefined;
}

/** A state file of project mayfly-job. */
export interface StackFact {
  readonly stack: string;
  /** Of the state file, in the backend. */
  readonly path: string;
  readonly changedAt: number;
  /** Undefined: it can't be read. */
  readonly state:
    | {
        /** Resources that are things outside of Pulumi. */
        readonly objects: number;
        /** By the labels of its resources. */
        readonly run: string | undefined;
        readonly environment: string | undefined;
      }
    | undefined;
}

/** A file by which a Pulumi process keeps others off a stack. */
export interface LockFact {
  readonly stack: string;
  readonly path: string;
  readonly changedAt: number;
  /** Undefined where its process is not of this machine. */
  readonly ownerLives: boolean | undefined;
}

/** A folder in which an operation of the engine works, on this machine. */
export interface FolderFact {
  readonly name: string;
  readonly path: string;
  readonly changedAt: number;
  /** Whether a process works in it; undefined where that can't be told. */
  readonly inUse: boolean | undefined;
}

/** All by which {@link Orphan}s are told. */
export interface ReapFacts {
  readonly now: number;
  readonly graceMs: number;
  /** Name of the environment, as in its contract. */
  readonly environment: string;
  /** Long-lived namespaces of its tenants. */
  readonly tenantNamespaces: readonly string[];
  readonly runs: readonly RunFact[];
  readonly namespaces: readonly NamespaceFact[];
  readonly leases: readonly LeaseFact[];
  readonly stacks: readonly StackFact[];
  readonly locks: readonly LockFact[];
  readonly folders: readonly FolderFact[];
}

/** In the order in which they are removed. `state`: a stack whose state can't be read. */
export const ORPHAN_KINDS = ["stack", "state", "namespace", "lease", "lock", "folder"] as const;
export type OrphanKind = (typeof ORPHAN_KINDS)[number];

/** Something that belongs to no live run. */
export interface Orphan {
  readonly kind: OrphanKind;
  readonly name: string;
  /** Tells it from another one of the same name: UID, or path and time of the last change. */
  readonly id: string;
  readonly run: string | undefined;
  /** When it was made, or last changed. */
  readonly since: number;
  /** `unknown`: this ledger never knew of its run, so it may be a live one of another ledger. */
  readonly ofRun: "ended" | "unknown";
  readonly why: string;
}

export interface ReapOptions {
  /** Connection file; default as for other commands. */
  readonly connection?: string | undefined;
  /** Whatever is younger is left alone; seconds, default 15 minutes. */
  readonly graceSeconds?: number | undefined;
  /** Remove what is found of ended runs. */
  readonly remove?: boolean | undefined;
  /** Besides, what is found of runs that this ledger does not know. */
  readonly unknown?: boolean | undefined;
  readonly onRemoving?: ((orphan: Orphan) => void) | undefined;
}

/** What became of one: `kept` where nobody asked for its removal. */
export interface Reaped extends Orphan {
  readonly fate: "kept" | "removed" | "failed";
  /** Why it could not be removed. */
  readonly problem?: string;
}

export interface ReapResult {
  readonly environment: string;
  readonly ledger: string;
  readonly orphans: readonly Reaped[];
  /** What could not be looked at. */
  readonly remarks: readonly string[];
}
