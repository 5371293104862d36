// What a worker's look around costs with a long queue and a long history, on each database: `bin/node test/bench/queue.ts [queued] [ended]`.
import { rmSync } from "node:fs";
import { openLedger } from "../../jobs/ledger/index.ts";
import { startPostgres } from "../ledger/postgres-server.ts";
import { pi, submission, tempFolder } from "../ledger/stores.ts";

const [queued = 2000, ended = 20_000] = process.argv.slice(2).map(Number);
const LOOKS = 100;
const TENANTS = 20;
const HOLDER = "bench/1/1";

const tenantOf = (index: number): string => `tenant-${index % TENANTS}`;

async function measure(name: string, url: string): Promise<void> {
  const ledger = await openLedger(url);
  const total = queued + ended;
  // Ended runs have a report of some kB, which lists and counts should never touch.
  const outcome = { kind: "lost", message: "The node went away. ".repeat(100) } as const;
  for (let index = 0; index < total; index++) {
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
    const { tenant, ...row } = { ...submission(`run-${index}`), tenant: tenantOf(index) };
    const isEnded = index < ended;
    await ledger.adopt({
      ...row,
      spec: { ...pi, tenant },
      tenant,
      job: "pi",
      state: isEnded ? "lost" : "queued",
      outcome: isEnded ? outcome : undefined,
      endedAt: isEnded ? at : undefined,
      submittedAt: at,
      updatedAt: at,
      key: `key-${index}`,
      specDigest: "d",
      interval: undefined,
      priority: index % 7,
      attempt: 0,
      phase: undefined,
      failureClass: undefined,
      namespace: undefined,
      stack: undefined,
      holder: undefined,
      fence: 0,
      cancelRequestedAt: undefined,
      notBefore: undefined,
      startedAt: undefined,
      left: [],
      version: 1,
      plan: undefined,
      report: undefined,
      machine: "{}",
    });
  }
  const timed = async (what: string, look: () => Promise<unknown>): Promise<void> => {
    await look();
    const cpu = process.cpuUsage();
    const begun = performance.now();
    for (let turn = 0; turn < LOOKS; turn++) await look();
    const { user, system } = process.cpuUsage(cpu);
    const each = (ms: number): string => (ms / LOOKS).toFixed(2);
    console.log(
      `${name}  ${what}: ${each(performance.now() - begun)} ms, ${each((user + system) / 1000)} ms of this process's CPU`,
    );
  };
  await timed("full worker (counts, cancels)", async () => {
    await ledger.load("lab");
    await ledger.wished(HOLDER);
  });
  await timed("worker with room (and heads of 4)", async () => {
    await ledger.load("lab");
    await ledger.wished(HOLDER);
    await ledger.heads({ environment: "lab", perTenant: 4 });
  });
  await timed("all queued and live rows, as before", async () => {
    await ledger.list({ states: ["queued"], detached: true, environment: "lab" });
    await ledger.list({
      states: ["planning", "creating", "running", "finishing", "destroying"],
      detached: true,
      environment: "lab",
    });
  });
  await timed("a key that is known", async () => await ledger.find(tenantOf(5), "key-5"));
  await timed("a tenant's newest 50", async () => await ledger.list({ tenant: tenantOf(5), limit: 50 }));
  await ledger.close();
}

console.log(`${queued} queued, ${ended} ended runs of ${TENANTS} tenants; mean of ${LOOKS} looks`);
const folder = tempFolder();
await measure("SQLite  ", `sqlite://${folder.path}/ledger.sqlite`);
rmSync(folder.path, { recursive: true });
const server = await startPostgres();
if ("missing" in server) {
  console.log(server.missing);
} else {
  await measure("Postgres", await server.database());
  await server.stop();
}
