import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Whom a password is for. */
export interface PasswordFor {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

/**
 * The password for a connection from Postgres' password file: PGPASSFILE, else `~/.pgpass`. As by libpq, the first line that
 * fits counts, and a file that others may read is not used ({@link isClosed}). https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export async function passwordFromFile(wanted: PasswordFor): Promise<string | undefined> {
  const path = process.env["PGPASSFILE"] ?? join(homedir(), ".pgpass");
  let text: string;
  try {
    if (!isClosed(await stat(path))) {
      process.emitWarning(`The password file ${path} is not used: others may read it (chmod 600 ${path}).`);
      return undefined;
    }
    text = await readFile(path, "utf8");
  } catch {
    // Most have no such file; the server says so if it wants a password.
    return undefined;
  }
  return passwordIn(text, wanted);
}

/**
 * Whether nobody else may read a file: none of its group and no others. One of root's may be read by its group, which is how a
 * Kubernetes Secret comes to a user who is not root; libpq says the same of keys:
 * https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-CLIENTCERT
 */
export const isClosed = (
  { mode, uid }: { readonly mode: number; readonly uid: number },
  self = process.getuid?.(),
): boolean => (mode & (uid === 0 && self !== 0 ? 0o037 : 0o077)) === 0;

/** From the lines `host:port:database:user:password`; `*` fits all, `\` takes the meaning of the next character away. */
export function passwordIn(text: string, { host, port, database, user }: PasswordFor): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = (line.match(/(?:\\.|[^:\\])*(?::|$)/g) ?? []).map((field) =>
      field.replace(/:$/, "").replaceAll(/\\(.)/g, "$1"),
    );
    const [password] = fields.slice(4);
    if (password === undefined || password === "") continue;
    if (
      [host, port, database, user].every((value, index) => fields[index] === "*" || fields[index] === value)
    )
      return password;
  }
  return undefined;
}
