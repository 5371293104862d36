import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readIfThere, writeIfChanged } from "../host/files.ts";
import type { LabPaths } from "../paths.ts";
import { BUCKETS, LAB, LAB_TENANT, LAB_WORKER } from "../settings.ts";

export const S3_URL = `http://${LAB.nodeIp}:${LAB.ports.s3}`;

/** An access key with its secret. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The profiles of the credentials file: Mayfly itself, the tenant, and Mayfly's workers in the cluster. */
export const PROFILES = ["mayfly", LAB_TENANT, LAB_WORKER] as const;

/** A shared credentials file: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
export const credentialsText = (profiles: Readonly<Record<string, Credentials>>): string =>
  Object.entries(profiles)
    .map(([name, { accessKeyId, secretAccessKey }]) =>
      [
        `[${name}]`,
        `aws_access_key_id = ${accessKeyId}`,
        `aws_secret_access_key = ${secretAccessKey}`,
        "",
      ].join("\n"),
    )
    .join("\n");

/** Reads one back; profiles that lack a half are left out. */
export function parseCredentials(text: string): Map<string, Credentials> {
  const profiles = new Map<string, { id?: string; secret?: string }>();
  let current: { id?: string; secret?: string } = {};
  for (const line of text.split("\n")) {
    const header = /^\s*\[(?<name>[^\]]+)\]/.exec(line)?.groups?.["name"];
    if (header !== undefined) {
      current = {};
      profiles.set(header, current);
      continue;
    }
    const [key, value] = line.split("=", 2).map((part) => part.trim());
    if (key === "aws_access_key_id" && value !== undefined) current.id = value;
    if (key === "aws_secret_access_key" && value !== undefined) current.secret = value;
  }
  return new Map(
    [...profiles].flatMap(([name, { id, secret }]) =>
      id === undefined || secret === undefined
        ? []
        : [[name, { accessKeyId: id, secretAccessKey: secret }] as const],
    ),
  );
}

/** versitygw's own list of accounts besides the root one (its internal IAM, users.json). */
export const accountsText = (accounts: Readonly<Record<string, Credentials>>): string =>
  JSON.stringify({
    accessAccounts: Object.fromEntries(
      Object.values(accounts).map(({ accessKeyId, secretAccessKey }) => [
        accessKeyId,
        { access: accessKeyId, secret: secretAccessKey, role: "user", userID: 0, groupID: 0, projectID: 0 },
      ]),
    ),
  });

const OBJECTS = [
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:AbortMultipartUpload",
  "s3:ListMultipartUploadParts",
];
const LIST = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"];

/**
 * Who may use a bucket besides its owner: everything on its objects, nothing on its settings. Workers in a tenant's bucket look for a job's
 * input and make the folder of its event log.
 */
export const bucketPolicy = (bucket: string, users: BucketUsers): string => {
  const allow = (sid: string, accessKeyId: string, objects: readonly string[]) => [
    {
      Sid: `${sid}Objects`,
      Effect: "Allow",
      Principal: { AWS: [accessKeyId] },
      Action: objects,
      Resource: `arn:aws:s3:::${bucket}/*`,
    },
    {
      Sid: `${sid}List`,
      Effect: "Allow",
      Principal: { AWS: [accessKeyId] },
      Action: LIST,
      Resource: `arn:aws:s3:::${bucket}`,
    },
  ];
  const { tenant, worker } = users;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      ...(tenant === undefined ? [] : allow("Tenant", tenant, OBJECTS)),
      ...allow("Worker", worker, tenant === undefined ? OBJECTS : ["s3:GetObject", "s3:PutObject"]),
    ],
  });
};

/** Access keys of those who may use a bucket. */
export interface BucketUsers {
  /** Undefined for Mayfly's own buckets. */
  readonly tenant: string | undefined;
  readonly worker: string;
}

const freshCredentials = (name: string): Credentials => ({
  accessKeyId: name.toUpperCase().padEnd(8, "0") + randomBytes(6).toString("hex").toUpperCase(),
  secretAccessKey: randomBytes(30).toString("base64url"),
});

/** Makes the credentials once (mode 0600) and the server's own files from them. */
export async function ensureCredentials(paths: LabPaths): Promise<Map<string, Credentials>> {
  const known = parseCredentials(readIfThere(paths.s3Credentials) ?? "");
  const all = new Map(PROFILES.map((name) => [name, known.get(name) ?? freshCredentials(name)] as const));
  await writeIfChanged(paths.s3Credentials, credentialsText(Object.fromEntries(all)));
  const { mayfly, ...tenants } = Object.fromEntries(all);
  if (mayfly === undefined) throw new Error("no credentials for mayfly");
  await writeIfChanged(
    rootFile(paths),
    `ROOT_ACCESS_KEY_ID=${mayfly.accessKeyId}\nROOT_SECRET_ACCESS_KEY=${mayfly.secretAccessKey}\n`,
  );
  await mkdir(paths.s3Accounts, { recursive: true, mode: 0o700 });
  await ensureAccounts(join(paths.s3Accounts, "users.json"), tenants);
  return new Map(all);
}

const Accounts = z.looseObject({ accessAccounts: z.record(z.string(), z.unknown()) });

/** Accounts that others have added stay as they are. */
async function ensureAccounts(file: string, tenants: Readonly<Record<string, Credentials>>): Promise<void> {
  const text = readIfThere(file);
  const present = text === undefined ? {} : Accounts.parse(JSON.parse(text)).accessAccounts;
  const wanted = Accounts.parse(JSON.parse(accountsText(tenants))).accessAccounts;
  await writeIfChanged(file, JSON.stringify({ accessAccounts: { ...present, ...wanted } }));
}

export const rootFile = (paths: LabPaths): string => join(paths.config, "s3-root");

/** The server's command line. Its credentials come from a file. @param addresses Where to listen. */
export const s3Args = (paths: LabPaths, addresses: readonly string[]): string[] => [
  ...addresses.flatMap((address) => ["--port", `${address}:${LAB.ports.s3}`]),
  ...["--credentials-file", rootFile(paths)],
  ...["--iam-dir", paths.s3Accounts],
  ...["--region", LAB.region],
  ...["--health", "/health", "--quiet"],
  ...["posix", "--versioning-dir", join(paths.root, "s3", "versions"), paths.s3Data],
];

/** Makes missing buckets and their policies. The server's folders show what is there, which costs no request. */
export async function ensureBuckets(
  paths: LabPaths,
  endpoint: string,
  credentials: ReadonlyMap<string, Credentials>,
): Promise<string[]> {
  const marker = join(paths.config, "s3-buckets.json");
  const keyOf = (profile: string): string => {
    const known = credentials.get(profile);
    if (known === undefined) throw new Error(`no credentials for ${profile}`);
    return known.accessKeyId;
  };
  const policies = BUCKETS.map(({ name, tenant }) => ({
    name,
    policy: bucketPolicy(name, {
      tenant: tenant === undefined ? undefined : keyOf(tenant),
      worker: keyOf(LAB_WORKER),
    }),
  }));
  const wanted = JSON.stringify(policies);
  if (readIfThere(marker) === wanted && BUCKETS.every(({ name }) => existsSync(join(paths.s3Data, name)))) {
    return [];
  }
  // Loaded only where needed: the SDK takes longer to load than all other checks of a running lab.
  const { BucketAlreadyOwnedByYou, CreateBucketCommand, PutBucketPolicyCommand, S3Client } = await import(
    "@aws-sdk/client-s3"
  );
  const owner = credentials.get("mayfly");
  if (owner === undefined) throw new Error("no credentials for mayfly");
  const client = new S3Client({ endpoint, region: LAB.region, forcePathStyle: true, credentials: owner });
  try {
    for (const { name, policy } of policies) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: name }));
      } catch (error) {
        if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
      }
      await client.send(new PutBucketPolicyCommand({ Bucket: name, Policy: policy }));
    }
  } finally {
    client.destroy();
  }
  await writeIfChanged(marker, wanted);
  return BUCKETS.map(({ name }) => name);
}
