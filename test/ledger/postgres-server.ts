// A real Postgres server of the tests' own: made in a temporary folder, on a free port, never as root, gone afterwards.
import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { UserError } from "../../base/errors.ts";
import { childEnv } from "../../base/process.ts";
import { ensurePackages } from "../../lab/host/packages.ts";

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

/** Where Debian has the newest server's programs; undefined where there is none. */
function programs(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root)
    ? readdirSync(root).sort((one, other) => Number(other) - Number(one))
    : [];
  return versions.map((version) => join(root, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
}

/** @returns The server, or why there can be none on this machine. */
export async function startPostgres(): Promise<PostgresServer | { readonly missing: string }> {
  if (programs() === undefined) {
    try {
      if (process.getuid?.() !== 0) throw new UserError("not-root", "apt-get wants root");
      await ensurePackages(["postgresql"], () => undefined);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return {
        missing: `Postgres is not installed, and could not be: ${error.message}. Next: apt-get install postgresql`,
      };
    }
  }
  const bin = programs();
  if (bin === undefined) return { missing: "Package postgresql brought no server under /usr/lib/postgresql" };
  return await newServer(bin);
}

/** Postgres refuses to run as root: it gets the user of its package, or nobody. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    users.find((user) => user.startsWith("postgres:")) ?? users.find((user) => user.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function newServer(bin: string): Promise<PostgresServer> {
  const user = identity();
  const folder = mkdtempSync("/tmp/mayfly-postgres-");
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const run = async (program: string, args: readonly string[]): Promise<void> => {
    const child = spawn(join(bin, program), args, { ...user, cwd: folder, env: childEnv(), stdio: "ignore" });
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}`);
  };
  await run("initdb", [
    "--pgdata",
    data,
    "--username",
    "mayfly",
    "--auth",
    "trust",
    "--no-sync",
    "--encoding",
    "UTF8",
  ]);
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
