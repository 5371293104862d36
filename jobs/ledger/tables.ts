/** The tables' columns, for typed queries. Documents are JSON as text, times ISO 8601 as text in UTC: the same on every database. */
export interface Tables {
  readonly runs: RunsTable;
  readonly run_events: RunEventsTable;
  readonly leases_seen: LeasesSeenTable;
  readonly savepoints: SavepointsTable;
  readonly ledger_schema: LedgerSchemaTable;
}

export interface RunsTable {
  readonly run: string;
  readonly key: string | null;
  readonly spec_digest: string | null;
  readonly tenant: string;
  readonly job: string;
  readonly environment: string;
  readonly connection: string;
  readonly interval_start: string | null;
  readonly interval_end: string | null;
  readonly priority: number;
  readonly state: string;
  readonly attempt: number;
  readonly phase: string | null;
  readonly failure_class: string | null;
  readonly spec: string | null;
  readonly plan: string | null;
  readonly outcome: string | null;
  readonly report: string | null;
  readonly namespace: string | null;
  readonly stack: string | null;
  readonly holder: string | null;
  readonly fence: number;
  readonly cancel_requested_at: string | null;
  readonly not_before: string | null;
  readonly submitted_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly updated_at: string;
  readonly left_behind: string;
  readonly version: number;
  readonly machine: string | null;
  readonly wish: string | null;
}

interface RunEventsTable {
  readonly run: string;
  readonly seq: number;
  readonly at: string;
  readonly body: string;
}

interface LeasesSeenTable {
  readonly run: string;
  readonly holder: string;
  readonly fence: number;
  readonly at: string;
}

export interface SavepointsTable {
  readonly location: string;
  readonly run: string;
  readonly tenant: string;
  readonly job: string;
  readonly environment: string;
  readonly attempt: number;
  readonly kind: string;
  readonly reason: string;
  readonly flink_version: string;
  readonly format: string;
  readonly at: string;
  readonly deleted_at: string | null;
}

interface LedgerSchemaTable {
  readonly version: number;
}
