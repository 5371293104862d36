import { isContent } from "./kubeconfig.ts";

/** A provider's configuration. https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/ */
export interface Options {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  /** Drop resources of a cluster that does not answer from the state: off unless asked for, it orphans what runs. */
  readonly deleteUnreachable: boolean;
  readonly skipUpdateUnreachable: boolean;
  readonly serverSideApply: boolean;
  readonly configMapMutable: boolean;
  readonly secretMutable: boolean;
  readonly patchForce: boolean;
  readonly upsert: boolean;
  /** Milliseconds that one answer may take; undefined for the default. */
  readonly timeout: number | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

function timeoutOf(settings: string | undefined, env: Variables): number | undefined {
  let seconds = Number(env["PULUMI_K8S_CLIENT_TIMEOUT"] ?? Number.NaN);
  const parsed: unknown = settings === undefined || settings === "" ? {} : JSON.parse(settings);
  if (typeof parsed === "object" && parsed !== null && "timeout" in parsed) seconds = Number(parsed.timeout);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/**
 * Reads the provider's inputs, else the environment variables that stand for them.
 *
 * @param inputs By their names in the SDK; the SDK passes all as text.
 */
export function readOptions(inputs: Variables, env: Variables): Options {
  const text = (name: string): string | undefined => (inputs[name] === "" ? undefined : inputs[name]);
  const flag = (name: string, variable: string, fallback: boolean): boolean => {
    const value = inputs[name] ?? env[`PULUMI_K8S_${variable}`];
    return value === undefined || value === "" ? fallback : value === "true";
  };
  return {
    kubeconfig: text("kubeconfig"),
    context: text("context"),
    cluster: text("cluster"),
    namespace: text("namespace"),
    deleteUnreachable: flag("deleteUnreachable", "DELETE_UNREACHABLE", false),
    skipUpdateUnreachable: flag("skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE", false),
    serverSideApply: flag("enableServerSideApply", "ENABLE_SERVER_SIDE_APPLY", true),
    configMapMutable: flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE", false),
    secretMutable: flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE", false),
    patchForce: flag("enablePatchForce", "ENABLE_PATCH_FORCE", false),
    upsert: flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS", false),
    timeout: timeoutOf(inputs["kubeClientSettings"], env),
  };
}

/** The configuration that decides which cluster is meant, without any credentials. */
export interface Identity {
  readonly server: string;
  readonly ca: string;
}

/** What a new configuration means for the resources that use the provider. */
export interface ConfigDiff {
  readonly diffs: readonly string[];
  readonly replaces: readonly string[];
}

const CLUSTER_KEYS = ["kubeconfig", "context", "cluster"];

/**
 * Compares two configurations. The resources are replaced only where another cluster is meant: by the program's own
 * `clusterIdentifier` where it gives one, else by the server that the kubeconfig selects.
 *
 * @param identities The clusters that the old and the new one select; undefined where that can't be told.
 * @param isUnknown Whether a new value is only known after the update.
 */
export function diffConfig(
  olds: Variables,
  news: Variables,
  identities: readonly [Identity | undefined, Identity | undefined],
  isUnknown: (value: string | undefined) => boolean,
): ConfigDiff {
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const diffs = names.filter((name) => olds[name] !== news[name]);
  const [oldId, newId] = [olds["clusterIdentifier"], news["clusterIdentifier"]];
  if (oldId !== undefined && newId !== undefined)
    return { diffs, replaces: oldId === newId ? [] : ["clusterIdentifier"] };
  const changed = CLUSTER_KEYS.filter((name) => diffs.includes(name));
  if (changed.some((name) => isUnknown(news[name]))) return { diffs, replaces: changed };
  const [before, after] = identities;
  const moved =
    before !== undefined && after !== undefined && (before.server !== after.server || before.ca !== after.ca);
  return { diffs, replaces: moved ? changed : [] };
}

/** Options of the official provider that the stand-in does not have. */
const UNSUPPORTED = ["renderYamlToDirectory"];

/** What is wrong with a provider's inputs. */
export function checkOptions(
  inputs: Variables,
): readonly { readonly property: string; readonly reason: string }[] {
  const failures = UNSUPPORTED.filter((name) => (inputs[name] ?? "") !== "").map((property) => ({
    property,
    reason: `Mayfly's stand-in for the Kubernetes provider plugin does not support ${property}`,
  }));
  const kubeconfig = inputs["kubeconfig"];
  if (kubeconfig?.trimStart().startsWith("{") === true && isContent(kubeconfig) && !isJson(kubeconfig))
    failures.push({ property: "kubeconfig", reason: "the kubeconfig is not valid JSON" });
  return failures;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // YAML in flow style also starts with a brace.
    return /^\s*\{\s*[A-Za-z]/.test(text);
  }
}
