import { z } from "zod";
import { Egress } from "../contract.ts";
import { dnsLabel } from "../primitives.ts";

/** In an address, so without characters that mean something there. */
const word = (what: string) =>
  z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_-]*$/, `must be ${what}: letters, digits, _ and -`);

const Common = {
  image: z
    .strictObject({
      reference: z.string().min(1).describe("With digest in production."),
      pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
    })
    .describe("Mayfly's own image."),
  replicas: z.int().min(1).max(50).default(1),
  slots: z.int().min(1).max(64).default(4).describe("Runs at a time in each replica; memory and CPU follow."),
  secret: dnsLabel()
    .default("mayfly-worker")
    .describe(
      "Secret in namespace mayfly-worker, put there by you and not by Pulumi: keys pgpass, passphrase, and on an existing cluster s3-credentials.",
    ),
  ledger: z
    .strictObject({
      host: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, "must be a host name or an IPv4 address"),
      port: z.int().min(1).max(65_535).default(5432),
      database: word("a database's name"),
      user: word("a user's name"),
      ca: z
        .string()
        .regex(/^-----BEGIN CERTIFICATE-----/, "must be a certificate in PEM form")
        .optional()
        .describe("Certificates that the server's is checked against; the system's where left out."),
    })
    .describe(
      "The ledger, in Postgres: one for all who submit and all workers. Always by TLS, its certificate checked.",
    ),
  egress: z
    .array(Egress)
    .min(1, "name the ledger's address at least: all else is denied")
    .describe(
      "What its pods may reach beside what pods of runs may: the ledger, and on an existing cluster the API server.",
    ),
};

/** On EKS the state's bucket is the environment's, and S3 goes by a role. */
export const EksWorker = z.strictObject(Common);
export type EksWorker = z.infer<typeof EksWorker>;

/** On a cluster that is there. */
export const ExistingWorker = z.strictObject({
  ...Common,
  state: z
    .string()
    .regex(
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^?]*)?(\?\S*)?$/,
      "must be an S3 URL such as s3://bucket?region=eu-central-1",
    )
    .describe(
      "Pulumi's state of the job stacks, as its S3 backend takes it: with endpoint and region as parameters.",
    ),
  profile: word("a profile's name").default("mayfly").describe("In the Secret's s3-credentials."),
  kubernetesPlugin: z
    .enum(["official", "stand-in"])
    .default("official")
    .describe("Which provider plugin the image brings; the lab's is the stand-in."),
});
export type ExistingWorker = z.infer<typeof ExistingWorker>;
