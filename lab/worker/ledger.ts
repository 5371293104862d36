// The ledger that this machine and the workers in the cluster share: a Postgres of the lab's own.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chown, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readCertificate } from "../cluster/certificates.ts";
import type { LedgerVariables } from "../connection.ts";
import { readIfThere, writeIfChanged } from "../host/files.ts";
import { initPostgres, type Owner, postgresOwner, postgresPrograms } from "../host/postgres.ts";
import { run } from "../host/run.ts";
import type { Unit } from "../host/unit.ts";
import type { LabPaths } from "../paths.ts";
import { LAB } from "../settings.ts";

/** Database and user have the same name. */
const NAME = "mayfly";

/** Where the ledger is, as the environment's config and a URL say it. */
export const LEDGER = {
  host: LAB.nodeIp,
  port: LAB.ports.postgres,
  database: NAME,
  user: NAME,
} as const;

/** The ledger's URL. Its password is in the password file. @param ca Path of the authority's certificate. */
const ledgerUrl = (ca: string): string =>
  `postgres://${NAME}@${LEDGER.host}:${LEDGER.port}/${NAME}?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`;

/** Variables by which a process of this machine finds the ledger; the password stays in its file. */
export const ledgerVariables = (paths: LabPaths): LedgerVariables => ({
  MAYFLY_LEDGER: ledgerUrl(join(paths.certificates, "ca.crt")),
  PGPASSFILE: paths.ledgerPassword,
});

/** A line of Postgres' password file: https://www.postgresql.org/docs/current/libpq-pgpass.html */
const passwordLine = (password: string): string =>
  `${LEDGER.host}:${LEDGER.port}:${NAME}:${NAME}:${password}\n`;

/** Only by TLS, only with the password, only this user to this database. Nobody else has a way in. */
const ACCESS = `hostssl ${NAME} ${NAME} ${LAB.podCidr} scram-sha-256\n`;

/** Few connections: each worker and each command has three at most. */
const settings = (folder: string): string =>
  [
    `listen_addresses = '${LEDGER.host}'`,
    `port = ${LEDGER.port}`,
    // No socket in the file system: it would be another way in.
    "unix_socket_directories = ''",
    "max_connections = 60",
    "shared_buffers = 32MB",
    "password_encryption = 'scram-sha-256'",
    "ssl = on",
    `ssl_cert_file = '${join(folder, "server.crt")}'`,
    `ssl_key_file = '${join(folder, "server.key")}'`,
    "",
  ].join("\n");

/**
 * The server as a daemon of the lab, its data made at the first time.
 * @param bin Folder of Postgres' programs.
 */
export async function ledgerUnit(paths: LabPaths, bin: string): Promise<Unit> {
  const owner = postgresOwner();
  const folder = paths.postgres;
  const data = join(folder, "data");
  // Open to its user's way through, as /var/lib is; the data's own folder is closed.
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  await ensurePassword(paths);
  if (!existsSync(join(data, "PG_VERSION"))) await makeDatabase(paths, bin, owner);
  const { cert, key } = readCertificate(paths.certificates, "postgres");
  const files: Readonly<Record<string, string>> = {
    [join(folder, "server.crt")]: cert,
    [join(folder, "server.key")]: key,
    [join(data, "pg_hba.conf")]: ACCESS,
    [join(data, "postgresql.auto.conf")]: settings(folder),
  };
  for (const [path, text] of Object.entries(files)) {
    await writeIfChanged(path, text);
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  }
  return {
    name: "postgres",
    command: join(bin, "postgres"),
    args: ["-D", data],
    ...(owner === undefined ? {} : { user: owner }),
    // A fast shutdown: SIGTERM would wait until every client has gone by itself.
    stopSignal: "SIGINT",
    after: [],
    watches: Object.keys(files),
    health: async () => await answers(bin),
  };
}

/** Undefined if the ledger takes connections. */
export async function ledgerHealth(): Promise<string | undefined> {
  const bin = postgresPrograms();
  return bin === undefined ? "Postgres is not installed" : await answers(bin);
}

async function answers(bin: string): Promise<string | undefined> {
  const args = ["--host", LEDGER.host, "--port", String(LEDGER.port), "--timeout", "2", "--quiet"];
  try {
    await run(join(bin, "pg_isready"), args);
    return undefined;
  } catch {
    return `Postgres does not answer on ${LEDGER.host}:${LEDGER.port}`;
  }
}

async function ensurePassword(paths: LabPaths): Promise<void> {
  if (readIfThere(paths.ledgerPassword) !== undefined) return;
  await writeIfChanged(paths.ledgerPassword, passwordLine(randomBytes(24).toString("base64url")));
}

/** In another folder first, so that what is at its place is whole. */
async function makeDatabase(paths: LabPaths, bin: string, owner: Owner | undefined): Promise<void> {
  const draft = join(paths.postgres, "new");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (owner !== undefined) await chown(draft, owner.uid, owner.gid);
  await initPostgres(bin, draft, owner, "postgres");
  const password = readFileSync(paths.ledgerPassword, "utf8").trim().split(":").at(-1) ?? "";
  // Without a server, so that nobody else is there yet; by standard input, since arguments are visible to every process.
  const statements = [
    `create role ${NAME} login password '${password}'`,
    `create database ${NAME} owner ${NAME}`,
  ];
  await run(join(bin, "postgres"), ["--single", "-D", join(draft, "data"), "postgres"], {
    cwd: draft,
    input: `${statements.join("\n")}\n`,
    ...(owner === undefined ? {} : { user: owner }),
  });
  await rm(join(paths.postgres, "data"), { recursive: true, force: true });
  await rename(join(draft, "data"), join(paths.postgres, "data"));
  await rm(draft, { recursive: true });
}
