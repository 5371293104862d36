import { X509Certificate } from "node:crypto";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../host/files.ts";
import { run } from "../host/run.ts";
import { LAB, METRICS_SERVER } from "../settings.ts";

/** The lab's certificate authorities. One each, so that no client of the API server can talk to etcd. */
export type Authority = "ca" | "etcd-ca" | "front-proxy-ca";

/** A certificate to issue. */
export interface CertificateRequest {
  readonly name: string;
  readonly issuer: Authority;
  /** Kubernetes takes the common name as the user and the organisation as the group. */
  readonly commonName: string;
  readonly organisation?: string;
  readonly usage: "client" | "server" | "both";
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
}

const AUTHORITIES: readonly Authority[] = ["ca", "etcd-ca", "front-proxy-ca"];

/** All certificates of the lab. */
export const CERTIFICATES: readonly CertificateRequest[] = [
  {
    name: "apiserver",
    issuer: "ca",
    commonName: "kube-apiserver",
    usage: "server",
    dnsNames: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${LAB.clusterDomain}`,
      "localhost",
    ],
    ips: [LAB.nodeIp, LAB.kubernetesServiceIp, "127.0.0.1"],
  },
  {
    name: "apiserver-kubelet",
    issuer: "ca",
    commonName: "kube-apiserver-kubelet-client",
    organisation: "mayfly-lab:kubelet-api",
    usage: "client",
  },
  { name: "apiserver-etcd", issuer: "etcd-ca", commonName: "kube-apiserver", usage: "client" },
  {
    name: "etcd",
    issuer: "etcd-ca",
    commonName: "etcd",
    usage: "both",
    dnsNames: ["localhost"],
    ips: ["127.0.0.1"],
  },
  { name: "front-proxy", issuer: "front-proxy-ca", commonName: "front-proxy-client", usage: "client" },
  {
    name: "kubelet",
    issuer: "ca",
    commonName: LAB.nodeName,
    usage: "server",
    dnsNames: [LAB.nodeName],
    ips: [LAB.nodeIp],
  },
  {
    name: "components",
    issuer: "ca",
    commonName: "mayfly-lab-components",
    usage: "server",
    dnsNames: ["localhost"],
    ips: ["127.0.0.1"],
  },
  { name: "postgres", issuer: "ca", commonName: "postgres", usage: "server", ips: [LAB.nodeIp] },
  {
    name: "node",
    issuer: "ca",
    commonName: `system:node:${LAB.nodeName}`,
    organisation: "system:nodes",
    usage: "client",
  },
  { name: "controller-manager", issuer: "ca", commonName: "system:kube-controller-manager", usage: "client" },
  { name: "scheduler", issuer: "ca", commonName: "system:kube-scheduler", usage: "client" },
  { name: "kube-proxy", issuer: "ca", commonName: "system:kube-proxy", usage: "client" },
  { name: "coredns", issuer: "ca", commonName: "mayfly-lab:coredns", usage: "client" },
  {
    // Its server's certificate and its name as a client of API server and kubelet.
    name: "metrics-server",
    issuer: "ca",
    commonName: METRICS_SERVER.user,
    usage: "both",
    // The API server asks for it by the name of its Service.
    dnsNames: [`${METRICS_SERVER.service}.kube-system.svc`],
    ips: [LAB.nodeIp],
  },
  { name: "calico-node", issuer: "ca", commonName: "mayfly-lab:calico-node", usage: "client" },
  { name: "calico-cni", issuer: "ca", commonName: "mayfly-lab:calico-cni", usage: "client" },
  {
    name: "admin",
    issuer: "ca",
    commonName: "mayfly-lab-admin",
    organisation: "system:masters",
    usage: "client",
  },
];

const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 398;
const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

/** True if the certificate ends within 30 days (or is no certificate at all), and must be made anew. */
export function needsRenewal(pem: string | undefined, now: number): boolean {
  if (pem === undefined) return true;
  try {
    return Date.parse(new X509Certificate(pem).validTo) - now < RENEW_BEFORE_MS;
  } catch {
    return true;
  }
}

/** The extension file that openssl signs a certificate with. */
export function extensionsOf(request: CertificateRequest): string {
  const usages = {
    client: "clientAuth",
    server: "serverAuth",
    both: "serverAuth,clientAuth",
  }[request.usage];
  const names = [
    ...(request.dnsNames ?? []).map((name) => `DNS:${name}`),
    ...(request.ips ?? []).map((ip) => `IP:${ip}`),
  ];
  return [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    `extendedKeyUsage=${usages}`,
    "authorityKeyIdentifier=keyid",
    ...(names.length > 0 ? [`subjectAltName=${names.join(",")}`] : []),
    "",
  ].join("\n");
}

/** openssl's subject form: organisation first, because the order is part of the name. */
export const subjectOf = (request: Pick<CertificateRequest, "commonName" | "organisation">): string =>
  `${request.organisation === undefined ? "" : `/O=${request.organisation}`}/CN=${request.commonName}`;

/**
 * Makes what is missing or ends within 30 days in `folder`: `<name>.crt` and `<name>.key` (EC P-256, mode 0600), and the
 * key that signs service account tokens. The folder is closed to others, so that no key is readable even for a moment. An authority made anew takes all of its certificates with it.
 * @returns Names of what was made.
 */
export async function ensureCertificates(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const now = Date.now();
  const made: string[] = [];
  await Promise.all([
    ...AUTHORITIES.map(async (authority) => {
      const fresh = needsRenewal(readIfThere(join(folder, `${authority}.crt`)), now);
      if (fresh) {
        await makeAuthority(folder, authority);
        made.push(authority);
      }
      await Promise.all(
        CERTIFICATES.filter(({ issuer }) => issuer === authority).map(async (request) => {
          if (!fresh && !isStale(folder, request, now)) return;
          await issue(folder, request);
          made.push(request.name);
        }),
      );
    }),
    ensureTokenKey(folder),
  ]);
  return made;
}

/** A certificate is stale when it ends soon or was asked for in another way than today. */
function isStale(folder: string, request: CertificateRequest, now: number): boolean {
  if (needsRenewal(readIfThere(join(folder, `${request.name}.crt`)), now)) return true;
  return readIfThere(join(folder, `${request.name}.request`)) !== requestText(request);
}

const requestText = (request: CertificateRequest): string =>
  `${subjectOf(request)}\n${extensionsOf(request)}`;

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] as const;

async function makeAuthority(folder: string, authority: Authority): Promise<void> {
  const path = join(folder, authority);
  await run("openssl", [
    ...["req", "-x509", ...NEW_KEY, "-keyout", `${path}.key.new`, "-out", `${path}.crt.new`],
    ...["-days", String(AUTHORITY_DAYS), "-subj", `/CN=mayfly-lab-${authority}`],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  await replace(path);
}

async function issue(folder: string, request: CertificateRequest): Promise<void> {
  const path = join(folder, request.name);
  const authority = join(folder, request.issuer);
  await writeFile(`${path}.ext`, extensionsOf(request), { mode: 0o600 });
  await run("openssl", [
    ...["req", "-new", ...NEW_KEY, "-keyout", `${path}.key.new`, "-out", `${path}.csr`],
    ...["-subj", subjectOf(request)],
  ]);
  await run("openssl", [
    ...["x509", "-req", "-in", `${path}.csr`, "-CA", `${authority}.crt`, "-CAkey", `${authority}.key`],
    ...["-set_serial", `0x${serial()}`, "-days", String(LEAF_DAYS)],
    ...["-extfile", `${path}.ext`, "-out", `${path}.crt.new`],
  ]);
  await replace(path);
  await writeFile(`${path}.request`, requestText(request), { mode: 0o600 });
  await Promise.all(
    [`${path}.csr`, `${path}.ext`].map(async (file) => {
      await rm(file, { force: true });
    }),
  );
}

/** 16 random bytes below 2^127, as RFC 5280 asks for positive serial numbers of at most 20 bytes. */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `0${Buffer.from(bytes).toString("hex").slice(1)}`;
}

async function replace(path: string): Promise<void> {
  for (const end of ["key", "crt"]) {
    await chmod(`${path}.${end}.new`, 0o600);
    await rename(`${path}.${end}.new`, `${path}.${end}`);
  }
}

async function ensureTokenKey(folder: string): Promise<void> {
  const key = join(folder, "service-accounts");
  if (readIfThere(`${key}.key`) !== undefined && readIfThere(`${key}.pub`) !== undefined) return;
  await run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${key}.key.new`]);
  await run("openssl", ["ec", "-in", `${key}.key.new`, "-pubout", "-out", `${key}.pub`]);
  await chmod(`${key}.key.new`, 0o600);
  await rename(`${key}.key.new`, `${key}.key`);
}

/** PEM texts of a certificate of the lab with its key and authority. @throws Error if `lab up` has not made them. */
export function readCertificate(folder: string, name: string, authority: Authority = "ca"): Pem {
  const [ca, cert, key] = [`${authority}.crt`, `${name}.crt`, `${name}.key`].map((file) =>
    readIfThere(join(folder, file)),
  );
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new Error(`certificate ${name} is missing in ${folder}`);
  }
  return { ca, cert, key };
}

/** A client's or server's certificate with its key, and the authority to check the other side by. */
export interface Pem {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}
