// Where one fault happens: a state folder, a Pulumi backend, a ledger and a fault proxy of its own, on the lab that all share.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
import type { Certificate } from "./certificate.ts";
import { STAND_IN } from "./image.ts";
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
  readonly proxy: FaultProxy;
  /** Path of a connection file by which a holder's requests are known. */
  readonly connection: (holder: Holder) => string;
  /** For a holder's processes. */
  readonly env: (holder: Holder) => Record<string, string>;
  /** Mark of all processes of this place: a variable and its value. */
  readonly mark: { readonly name: string; readonly value: string };
  /** What must not be found anywhere in `state`, in the output of commands or in S3; by name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Writes a small job: its driver takes `seconds`. */
  readonly job: (changes?: Readonly<Record<string, unknown>>, seconds?: number) => Promise<string>;
  readonly name: string;
  readonly remove: () => Promise<void>;
}

/** @param name Of the job; unique in the suite, at most 40 characters. */
export async function makePlace(name: string, certificate: Certificate): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fault-"));
  const inFolder = async (path: string): Promise<string> => {
    await mkdir(join(folder, path), { recursive: true });
    return join(folder, path);
  };
  const state = await inFolder("state");
  const backend = await inFolder("state/pulumi");
  const hidden = await inFolder("secret");
  const temporary = await inFolder("tmp");

  const lab = readConnection(labPaths());
  const upstream = await readKubeconfig(lab.kubeconfig);
  const tokens = new Map(
    HOLDERS.map((holder) => [`${holder}-token-${randomBytes(16).toString("hex")}`, holder]),
  );
  const proxy = await startProxy({
    upstream: { url: upstream.server, options: await identity(upstream.options) },
    certificate,
    holders: tokens,
  });

  const passphrase = `passphrase-canary-${randomBytes(16).toString("hex")}`;
  const passphraseFile = join(hidden, "passphrase");
  await writeFile(passphraseFile, passphrase, { mode: 0o600 });
  for (const [token, holder] of tokens) {
    const kubeconfig = join(hidden, `kubeconfig-${holder}`);
    await writeFile(kubeconfig, kubeconfigText(proxy.url, certificate.certificate, token), { mode: 0o600 });
    const connection: Connection = {
      ...lab,
      kubeconfig,
      pulumi: { ...lab.pulumi, backendUrl: pathToFileURL(backend).href, passphraseFile },
    };
    await writeFile(join(folder, `connection-${holder}.json`), JSON.stringify(connection));
  }
  const connectionOf = (holder: Holder): string => join(folder, `connection-${holder}.json`);
  const mark = { name: "TMPDIR", value: temporary };
  return {
    name,
    state,
    backend,
    ledger: `sqlite://${join(state, "mayfly", "ledger.sqlite")}`,
    proxy,
    mark,
    connection: connectionOf,
    env: (holder) => ({
      XDG_STATE_HOME: state,
      MAYFLY_CONNECTION: connectionOf(holder),
      [mark.name]: mark.value,
    }),
    secrets: new Map([
      ["Pulumi passphrase", passphrase],
      ...(await s3Secrets(lab.s3.credentialsFile)),
      ...[...tokens].map(([token, holder]) => [`cluster token of the ${holder} holder`, token] as const),
    ]),
    job: async (changes = {}, seconds = 1) => {
      const path = join(folder, "job.yaml");
      await writeFile(path, stringify({ ...jobOf(name, seconds), ...changes }));
      return path;
    },
    remove: async () => {
      await proxy.close();
      // A fault may have put a file system of its own there.
      await execute("umount", ["--lazy", backend]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function identity(options: () => Promise<RequestOptions>): Promise<RequestOptions> {
  const { ca, cert, key } = await options();
  return { ca, cert, key };
}

const kubeconfigText = (server: string, authority: string, token: string): string =>
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
    users: [{ name: "fault", user: { token } }],
  });

/** The lab's own: an AWS shared credentials file. */
async function s3Secrets(file: string): Promise<(readonly [string, string])[]> {
  const found = (await readFile(file, "utf8")).matchAll(/^\s*aws_secret_access_key\s*=\s*(\S+)/gm);
  return [...found].map(([, secret = ""], index) => [`S3 secret ${index + 1}`, secret] as const);
}

const SMALL = { cpu: "50m", memory: "512Mi" } as const;

const jobOf = (name: string, seconds: number): Readonly<Record<string, unknown>> => ({
  apiVersion: "mayfly.dev/v1",
  name,
  tenant: "demo",
  engine: "spark",
  version: "4.0",
  image: STAND_IN,
  application: { kind: "python", file: "local:///opt/spark/app.py" },
  arguments: [String(seconds)],
  driver: SMALL,
  workers: { count: 1, ...SMALL },
  scratch: { kind: "emptyDir", size: "256Mi" },
  deadline: "4m",
});
