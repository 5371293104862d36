// Several workers that share one Postgres, on the real lab; the job's image is a stand-in, so that a run is over in seconds.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { openLedger } from "../../jobs/ledger/index.ts";
import { findConnection, readConnection } from "../../jobs/run/environment.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { importStandIn, STAND_IN } from "../harness/stand-in.ts";
import { kubectl } from "../lab/pods.ts";
import { type PostgresServer, startPostgres } from "../ledger/postgres-server.ts";
import { jobFile } from "./run-process.ts";

/** More than one worker has places for, so that neither can do it all. */
const LIMIT = 3;
const SLOTS = 2;
const RUNS = 12;

let folder = "";
let server: PostgresServer;
beforeAll(async () => {
  const started = await startPostgres();
  if ("missing" in started) throw new Error(started.missing);
  server = started;
  folder = await mkdtemp(join(tmpdir(), "mayfly-workers-"));
  await importStandIn();
}, 300_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The lab's connection, whose tenant may have as many runs at work as {@link LIMIT}. */
async function limitedConnection(): Promise<string> {
  const lab = await readConnection(await findConnection(undefined));
  const contract = EnvironmentContract.parse(JSON.parse(await readFile(lab.contract, "utf8")));
  const tenants = contract.tenants.map((tenant) => ({
    ...tenant,
    limits: { ...tenant.limits, running: LIMIT },
  }));
  const path = join(folder, "contract.json");
  // Others may use the lab's one node at the same time: their pods are waited for.
  const limits = { ...contract.limits, pendingDeadline: 900 };
  await writeFile(path, JSON.stringify({ ...contract, tenants, limits }));
  const connection = join(folder, "connection.json");
  await writeFile(connection, JSON.stringify({ ...lab, contract: path }));
  return connection;
}

test("two workers share twelve runs: each is run once, the tenant's limit is kept, all succeed, nothing is left", {
  timeout: 600_000,
}, async () => {
  const url = await server.database();
  const connection = await limitedConnection();
  const env = {
    ...process.env,
    MAYFLY_LEDGER: url,
    MAYFLY_LEASE_SECONDS: "10",
    MAYFLY_CONNECTION: connection,
  };
  const mayfly = async (...args: readonly string[]) =>
    await execute(join(projectDir, "bin", "mayfly"), args, { cwd: projectDir, env });
  // Time in the queue counts.
  const small = { cpu: "50m", memory: "512Mi" };
  const workers = { count: 1, ...small };
  const file = await jobFile({ image: STAND_IN, deadline: "20m", driver: small, workers }, 1);
  const runs: string[] = [];
  for (let index = 0; index < RUNS; index++) {
    const { code, stdout, stderr } = await mayfly("submit", file, "--key", `night-${index}`);
    expect([code, stderr]).toEqual([0, ""]);
    runs.push(stdout.trim());
  }
  expect(new Set(runs).size).toBe(RUNS);

  const ledger = await openLedger(url);
  try {
    const working: number[] = [];
    const ended = new AbortController();
    const looking = (async () => {
      while (!ended.signal.aborted) {
        working.push((await ledger.load("lab")).reduce((sum, load) => sum + load.working, 0));
        await sleep(50, undefined, { signal: ended.signal }).catch(() => undefined);
      }
    })();
    const both = await Promise.all([
      mayfly("work", "--drain", "--json", "--slots", String(SLOTS)),
      mayfly("work", "--drain", "--json", "--slots", String(SLOTS)),
    ]);
    ended.abort();
    await looking;
    expect(both.map(({ code }) => code)).toEqual([0, 0]);

    expect(Math.max(...working)).toBe(LIMIT);
    const rows = await ledger.list();
    expect(rows.map(({ run, outcome, attempt, left }) => ({ run, outcome, attempt, left }))).toEqual(
      runs.toReversed().map((run) => ({ run, outcome: { kind: "succeeded" }, attempt: 1, left: [] })),
    );
    const holders = await Promise.all(runs.map(async (run) => await ledger.leases(run)));
    expect(holders.map((seen) => seen.length)).toEqual(runs.map(() => 1));
    // Else one worker did it all, and the test proves nothing.
    expect(new Set(holders.flat().map(({ holder }) => holder.split("/")[1])).size).toBe(2);
    for (const run of runs) {
      const { events } = await ledger.events(run);
      expect(events.filter(({ event }) => event.type === "planned")).toHaveLength(1);
    }
  } finally {
    await ledger.close();
  }
  const selector = `mayfly.dev/run in (${runs.join(",")})`;
  expect(await kubectl(["get", "namespaces,leases", "--all-namespaces", "-l", selector, "-o", "name"])).toBe(
    "",
  );
});
