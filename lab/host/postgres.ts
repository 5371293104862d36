// Postgres of the distribution: for the lab's shared ledger, and for the tests of the ledger.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import type { Report } from "../../base/progress.ts";
import { ensurePackages } from "./packages.ts";
import { run } from "./run.ts";

/** Whom the server runs as. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Folder of the newest server's programs; installs Debian's package where there is none.
 * @throws UserError `packages-missing`, `postgres-needs-root`
 */
export async function ensurePostgres(report: Report): Promise<string> {
  const there = postgresPrograms();
  if (there !== undefined) return there;
  if (process.getuid?.() !== 0) {
    throw new UserError("postgres-needs-root", "Postgres is not installed, and only root can install it.", {
      exitCode: EXIT.unavailable,
      hint: "apt-get install --no-install-recommends postgresql",
    });
  }
  await ensurePackages(["postgresql"], report);
  const made = postgresPrograms();
  if (made !== undefined) return made;
  throw new UserError("packages-missing", `Debian's package postgresql brought no server under ${ROOT}.`, {
    exitCode: EXIT.unavailable,
    hint: "Install Postgres' server by hand.",
  });
}

const ROOT = "/usr/lib/postgresql";

/** Where Debian has the newest server's programs; undefined where there is none. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(ROOT)
    ? readdirSync(ROOT).sort((one, other) => Number(other) - Number(one))
    : [];
  return versions.map((version) => join(ROOT, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
}

/** Postgres refuses to run as root: it gets the user of its package, or nobody. Undefined where we are somebody already. */
export function postgresOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    users.find((user) => user.startsWith("postgres:")) ?? users.find((user) => user.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * Makes a new, empty cluster of databases.
 * @param folder Belongs to the owner; the cluster is its folder `data`.
 * @param superuser Its first user, who may do all.
 * @throws UserError `command-failed`
 */
export async function initPostgres(
  bin: string,
  folder: string,
  owner: Owner | undefined,
  superuser: string,
): Promise<void> {
  const args = ["--pgdata", join(folder, "data"), "--username", superuser];
  // Nobody comes in but by what the caller writes into pg_hba.conf.
  await run(join(bin, "initdb"), [...args, "--auth", "reject", "--no-sync", "--encoding", "UTF8"], {
    cwd: folder,
    ...(owner === undefined ? {} : { user: owner }),
  });
}
