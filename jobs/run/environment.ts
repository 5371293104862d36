import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { prettifyError, type ZodType } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { stateDir } from "../../base/paths.ts";
import { Connection } from "../../schema/connection.ts";
import { CONTRACT_VERSION, EnvironmentContract } from "../../schema/contract.ts";

/** One environment, as this machine reaches it. */
export interface Environment {
  /** Path of the connection file. */
  readonly path: string;
  readonly connection: Connection;
  readonly contract: EnvironmentContract;
}

/**
 * The connection file that a command uses: the given one, `MAYFLY_CONNECTION`, or the lab's.
 * @throws UserError `no-environment`
 */
export async function findConnection(given: string | undefined): Promise<string> {
  const named = given ?? process.env["MAYFLY_CONNECTION"];
  const path = named ?? join(stateDir(), "lab", "connection.json");
  try {
    await access(path);
    return path;
  } catch (cause) {
    throw new UserError(
      "no-environment",
      "There is no environment to run in: its connection file is missing.",
      {
        path,
        hint:
          named === undefined
            ? "Set a lab up on this machine: npx mayfly lab up"
            : "Check --connection or MAYFLY_CONNECTION; without them the lab is used.",
        exitCode: EXIT.unavailable,
        cause,
      },
    );
  }
}

/** @throws UserError `connection-invalid` */
export const readConnection = async (path: string): Promise<Connection> =>
  await readDocument(path, "connection", Connection);

/** @throws UserError `contract-invalid`, `contract-version` */
export const readContract = async (path: string): Promise<EnvironmentContract> =>
  await readDocument(path, "contract", EnvironmentContract);

/** Said on each use, so that nobody takes the stand-in for the official plugin. Empty where the official one is used. */
export const pluginRemarks = ({ pulumi }: Connection): readonly string[] =>
  pulumi.kubernetesPlugin === "stand-in"
    ? [
        "Pulumi talks to Kubernetes through Mayfly's stand-in provider plugin: the official one can't be had here",
      ]
    : [];

/** What people are to know of an environment on each use. */
export const environmentRemarks = ({
  connection,
  contract,
}: Pick<Environment, "connection" | "contract">): readonly string[] => [
  ...pluginRemarks(connection),
  ...(contract.fence === undefined
    ? [
        `Nothing in environment ${contract.name} stops a helper that has lost its lease and goes on (docs/leases.md): bring it up again with this version`,
      ]
    : []),
];

const WHAT = {
  connection: { name: "connection file", version: "mayfly.dev/connection/v1" },
  contract: { name: "environment contract", version: CONTRACT_VERSION },
} as const;

async function readDocument<T>(path: string, kind: keyof typeof WHAT, schema: ZodType<T>): Promise<T> {
  const { name, version } = WHAT[kind];
  const invalid = (problem: string, cause?: unknown): UserError =>
    new UserError(`${kind}-invalid`, `The ${name} can't be used: ${problem}`, {
      path,
      hint: "Have the environment written again; for the lab: npx mayfly lab up",
      exitCode: EXIT.unavailable,
      cause,
    });
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const theirs = apiVersion(document);
  if (theirs !== undefined && theirs !== version) {
    throw new UserError(
      `${kind}-version`,
      `The ${name} is of version ${theirs}; this Mayfly reads ${version}.`,
      {
        path,
        hint: versionHint(theirs, version),
        exitCode: EXIT.unavailable,
      },
    );
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) throw invalid(`\n${prettifyError(parsed.error)}`, parsed.error);
  return parsed.data;
}

/** The number at the end of `mayfly.dev/environment/v2`. */
const numberOf = (version: string): number => Number(/\/v(\d+)$/.exec(version)?.[1]);

function versionHint(theirs: string, ours: string): string {
  const difference = numberOf(theirs) - numberOf(ours);
  if (difference > 0)
    return "Update Mayfly on this machine to the version that the environment was made with.";
  if (difference < 0) {
    return "Bring the environment up again with this Mayfly ('pulumi up' in its project; for the lab: npx mayfly lab up).";
  }
  return "Use the Mayfly that the environment was made with.";
}

function apiVersion(document: unknown): string | undefined {
  if (typeof document !== "object" || document === null) return undefined;
  const value: unknown = Reflect.get(document, "apiVersion");
  return typeof value === "string" ? value : undefined;
}
