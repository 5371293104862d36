import { z } from "zod";

/**
 * How this machine reaches one environment: written by whoever sets the environment up (`mayfly lab up` for the lab),
 * read by every command. Holds paths to secrets, never secrets.
 */
export const Connection = z
  .strictObject({
    apiVersion: z.literal("mayfly.dev/connection/v1"),
    name: z.string().min(1).describe("The environment's name and that of its Pulumi stack, such as `lab`."),
    kubeconfig: z.string().min(1).describe("Absolute path of the kubeconfig file."),
    contract: z
      .string()
      .min(1)
      .describe("Absolute path of the environment contract, JSON (schema/contract.ts)."),
    path: z
      .array(z.string().min(1))
      .describe("Folders to put first on PATH: pulumi, its language host, kubectl."),
    pulumi: z.strictObject({
      home: z.string().min(1).describe("PULUMI_HOME: plugins and credentials."),
      backendUrl: z.string().min(1).describe("State backend, such as file:///… or s3://…"),
      passphraseFile: z.string().min(1).describe("PULUMI_CONFIG_PASSPHRASE_FILE, mode 0600."),
      kubernetesPlugin: z
        .enum(["official", "stand-in"])
        .describe(
          "`stand-in` is Mayfly's own small provider plugin, used only where the official one can't be had.",
        ),
    }),
    s3: z.strictObject({
      endpoint: z.url().describe("The S3 endpoint, valid on this machine and in the cluster's pods."),
      region: z.string().min(1),
      pathStyle: z
        .boolean()
        .describe("Address buckets as path (`http://host/bucket`) instead of as host name."),
      credentialsFile: z.string().min(1).describe("AWS shared credentials file, mode 0600."),
      profile: z.string().min(1).describe("Profile in the credentials file that the helper itself uses."),
    }),
  })
  .meta({ id: "Connection", title: "Mayfly connection" });
export type Connection = z.infer<typeof Connection>;
