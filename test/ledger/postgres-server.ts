// A real Postgres server of the tests' own: made in a temporary folder, on a free port, never as root, gone afterwards.
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { UserError } from "../../base/errors.ts";
import { childEnv } from "../../base/process.ts";
import { ensurePostgres, initPostgres, postgresOwner } from "../../lab/host/postgres.ts";

export const PASSWORD = "correct-horse-battery-staple";

export interface PostgresServer {
  readonly port: number;
  /** Makes an empty database. @returns Its URL for user `mayfly`, who needs no password. */
  readonly database: () => Promise<string>;
  /** Ends the server at once, as a crash does. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @returns The server, or why there can be none on this machine. */
export async function startPostgres(): Promise<PostgresServer | { readonly missing: string }> {
  try {
    return await newServer(await ensurePostgres(() => undefined));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { missing: `${error.message} Next: ${error.hint ?? ""}` };
  }
}

async function newServer(bin: string): Promise<PostgresServer> {
  const user = postgresOwner();
  const folder = mkdtempSync("/tmp/mayfly-postgres-");
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  await initPostgres(bin, folder, user, "mayfly");
  writeFileSync(
    join(data, "pg_hba.conf"),
    "host all secured 127.0.0.1/32 scram-sha-256\nhost all mayfly 127.0.0.1/32 trust\n",
  );
  const port = await freePort();
  let server: ChildProcess | undefined;
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server;
    if (running === undefined) return;
    server = undefined;
    const closed = new Promise((resolve) => running.once("close", resolve));
    running.kill(signal);
    await closed;
  };
  const start = async (): Promise<void> => {
    mkdirSync(folder, { recursive: true });
    const args = [
      "-D",
      data,
      "-p",
      String(port),
      "-h",
      "127.0.0.1",
      "-k",
      folder,
      "-F",
      "-c",
      "max_connections=60",
    ];
    server = spawn(join(bin, "postgres"), args, { ...user, cwd: folder, env: childEnv(), stdio: "ignore" });
    await answering(port);
  };
  await start();
  let databases = 0;
  return {
    port,
    database: async () => {
      databases += 1;
      const name = `ledger_${databases}`;
      await withClient(port, async (client) => {
        await client.query(`create database ${name}`);
      });
      return `postgres://mayfly@127.0.0.1:${port}/${name}`;
    },
    start,
    // SIGQUIT: immediate shutdown without saying good-bye, recovered at the next start.
    kill: async () => {
      await ended("SIGQUIT");
    },
    // Likewise: its data is thrown away, so nothing needs to be saved.
    stop: async () => {
      await ended("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function withClient<T>(
  port: number,
  use: (client: pg.Client) => Promise<T>,
  database = "postgres",
): Promise<T> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "mayfly", database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function answering(port: number): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    try {
      await withClient(port, async (client) => await client.query("select 1"));
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
