// Where one fault happens: a state folder, a Pulumi backend, a ledger and a fault proxy of its own, on the lab that all share.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { execute } from "../../base/process.ts";
import { readKubeconfig } from "../../jobs/watch/kubeconfig.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import type { Connection } from "../../schema/connection.ts";
import { standInJob } from "../harness/stand-in.ts";
import type { Certificate } from "./certificate.ts";
import { type Gate, openGate } from "./gate.ts";
import { type FaultProxy, startProxy } from "./proxy.ts";

/** Who works on a run: the helper that began, and whoever comes after it. */
export type Holder = "first" | "second" | "successor";
const HOLDERS: readonly Holder[] = ["first", "second", "successor"];

export interface Place {
  /** All that is written by the runs in it, and nothing secret: what is searched for secrets. */
  readonly state: string;
  /** Folder of the Pulumi backend, in `state`. */
  readonly backend: string;
  readonly ledger: string;
  /** The folder that the ledger's file is in, where it is a file. */
  readonly ledgerFolder: string;
  readonly proxy: FaultProxy;
  /** Before the S3 store, for Mayfly's processes; the job's pods have none. */
  readonly s3: Gate;
  /** Path of the file with the passphrase of Pulumi's state. */
  readonly passphrase: string;
  /** From now on the cluster refuses a holder's token. */
  readonly expireToken: (holder: Holder) => void;
  /** Puts another one, a good one, into the holder's token file, as who issues them does. */
  readonly renewToken: (holder: Holder) => Promise<void>;
  /** Path of a connection file by which a holder's requests are known. */
  readonly connection: (holder: Holder) => string;
  /** For a holder's processes. */
  readonly env: (holder: Holder) => Record<string, string>;
  /** Mark of all processes of this place: a variable and what its value begins with. */
  readonly mark: Mark;
  /** The same of one holder's processes. */
  readonly markOf: (holder: Holder) => Mark;
  /** What must not be found anywhere in `state`, in the output of commands or in S3; by name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Writes a small job: its driver takes `seconds`. */
  readonly job: (changes?: Readonly<Record<string, unknown>>, seconds?: number) => Promise<string>;
  readonly name: string;
  readonly remove: () => Promise<void>;
}

/** A variable, and what its value begins with. */
export interface Mark {
  readonly name: string;
  readonly value: string;
}

export interface PlaceOptions {
  /** URL; a SQLite file of the place's own where left out. */
  readonly ledger?: string | undefined;
  /** Replaces fields of the job. */
  readonly job?: Readonly<Record<string, unknown>>;
  /** Path of the environment's contract; the lab's where left out. */
  readonly contract?: string;
  /** How long a lease lasts, in seconds; `LEASE_SECONDS` where left out. */
  readonly leaseSeconds?: number | undefined;
}

/** Short, so that a dead worker is seen soon; long enough for a renewal on a busy machine. In seconds. */
export const LEASE_SECONDS = 8;

/** @param name Of the job; unique in the suite, at most 40 characters. */
export async function makePlace(
  name: string,
  certificate: Certificate,
  options: PlaceOptions = {},
): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fault-"));
  const inFolder = async (path: string): Promise<string> => {
    await mkdir(join(folder, path), { recursive: true });
    return join(folder, path);
  };
  const state = await inFolder("state");
  const backend = await inFolder("state/pulumi");
  const hidden = await inFolder("secret");
  const ledgerFolder = await inFolder("state/ledger");
  const temporary = await inFolder("tmp");
  for (const holder of HOLDERS) await inFolder(`tmp/${holder}`);

  const lab = readConnection(labPaths());
  const upstream = await readKubeconfig(lab.kubeconfig);
  const tokens = new Map(HOLDERS.map((holder) => [newToken(holder), holder]));
  const proxy = await startProxy({
    upstream: { url: upstream.server, options: await identity(upstream.options) },
    certificate,
    holders: tokens,
  });

  const endpoint = new URL(lab.s3.endpoint);
  const s3 = await openGate({ host: endpoint.hostname, port: Number(endpoint.port) });

  const passphrase = `passphrase-canary-${randomBytes(16).toString("hex")}`;
  const passphraseFile = join(hidden, "passphrase");
  await writeFile(passphraseFile, passphrase, { mode: 0o600 });
  const tokenFile = (holder: Holder): string => join(hidden, `token-${holder}`);
  const writeToken = async (holder: Holder, token: string): Promise<void> => {
    await writeFile(`${tokenFile(holder)}.new`, token, { mode: 0o600 });
    await rename(`${tokenFile(holder)}.new`, tokenFile(holder));
  };
  for (const [token, holder] of tokens) {
    await writeToken(holder, token);
    const kubeconfig = join(hidden, `kubeconfig-${holder}`);
    await writeFile(kubeconfig, kubeconfigText(proxy.url, certificate.certificate, tokenFile(holder)), {
      mode: 0o600,
    });
    const connection: Connection = {
      ...lab,
      kubeconfig,
      contract: options.contract ?? lab.contract,
      s3: { ...lab.s3, endpoint: `http://127.0.0.1:${s3.port}` },
      pulumi: { ...lab.pulumi, backendUrl: pathToFileURL(backend).href, passphraseFile },
    };
    await writeFile(join(folder, `connection-${holder}.json`), JSON.stringify(connection));
  }
  const connectionOf = (holder: Holder): string => join(folder, `connection-${holder}.json`);
  const mark = { name: "TMPDIR", value: temporary };
  const markOf = (holder: Holder): Mark => ({ ...mark, value: join(temporary, holder) });
  const ledger = options.ledger ?? `sqlite://${join(ledgerFolder, "ledger.sqlite")}`;
  const secrets = new Map([
    ["Pulumi passphrase", passphrase],
    ...(await s3Secrets(lab.s3.credentialsFile)),
    ...[...tokens].map(([token, holder]) => [`cluster token of the ${holder} holder`, token] as const),
  ]);
  return {
    name,
    state,
    backend,
    ledger,
    ledgerFolder,
    proxy,
    s3,
    passphrase: passphraseFile,
    expireToken: (holder) => {
      for (const [token, of] of tokens) if (of === holder) tokens.delete(token);
    },
    renewToken: async (holder) => {
      const token = newToken(holder);
      tokens.set(token, holder);
      secrets.set(`later cluster token of the ${holder} holder`, token);
      await writeToken(holder, token);
    },
    mark,
    markOf,
    connection: connectionOf,
    env: (holder) => ({
      XDG_STATE_HOME: state,
      MAYFLY_CONNECTION: connectionOf(holder),
      MAYFLY_LEDGER: ledger,
      MAYFLY_LEASE_SECONDS: String(options.leaseSeconds ?? LEASE_SECONDS),
      [mark.name]: markOf(holder).value,
    }),
    secrets,
    job: async (changes = {}, seconds = 1) => {
      const path = join(folder, "job.yaml");
      await writeFile(
        path,
        stringify({ ...standInJob(name, seconds), deadline: "4m", ...options.job, ...changes }),
      );
      return path;
    },
    remove: async () => {
      await Promise.all([proxy.close(), s3.close()]);
      // A fault may have put a file system of its own there.
      for (const path of [backend, ledgerFolder]) await execute("umount", ["--lazy", path]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const newToken = (holder: Holder): string => `${holder}-token-${randomBytes(16).toString("hex")}`;

async function identity(options: () => Promise<RequestOptions>): Promise<RequestOptions> {
  const { ca, cert, key } = await options();
  return { ca, cert, key };
}

const kubeconfigText = (server: string, authority: string, tokenFile: string): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fault",
    clusters: [
      {
        name: "fault",
        cluster: { server, "certificate-authority-data": Buffer.from(authority).toString("base64") },
      },
    ],
    contexts: [{ name: "fault", context: { cluster: "fault", user: "fault" } }],
    users: [{ name: "fault", user: { tokenFile } }],
  });

/** The lab's own: an AWS shared credentials file. */
async function s3Secrets(file: string): Promise<(readonly [string, string])[]> {
  const found = (await readFile(file, "utf8")).matchAll(/^\s*aws_secret_access_key\s*=\s*(\S+)/gm);
  return [...found].map(([, secret = ""], index) => [`S3 secret ${index + 1}`, secret] as const);
}
