import { type Checked, type CheckRequest, check } from "./check.ts";
import { loadSources } from "./connection.ts";
import { type Created, type CreateRequest, create } from "./create.ts";
import { type DeleteRequest, remove } from "./delete.ts";
import { PluginError } from "./errors.ts";
import { selectCluster } from "./kubeconfig.ts";
import { type ConfigDiff, checkOptions, diffConfig, type Identity, readOptions } from "./options.ts";
import { type Plan, type PlanRequest, planDiff } from "./plan.ts";
import { type ReadRequest, type ReadResult, read } from "./read.ts";
import { createSession, type Log, type Session } from "./session.ts";
import { type UpdateRequest, update } from "./update.ts";
import { hasUnknown, type Properties } from "./wire.ts";

/** Said once per operation, so that nobody takes the stand-in for the official plugin. */
export const NOTICE =
  "kubernetes: Mayfly's stand-in provider plugin is used (the official one can't be had here)";

/** A resource provider apart from the protocol that it is asked by. */
export interface Provider {
  checkConfig: (inputs: Record<string, string>) => ReturnType<typeof checkOptions>;
  diffConfig: (olds: Record<string, string>, news: Record<string, string>) => Promise<ConfigDiff>;
  configure: (inputs: Record<string, string>) => void;
  check: (request: CheckRequest) => Promise<Checked>;
  diff: (request: PlanRequest) => Promise<Plan>;
  create: (request: CreateRequest) => Promise<Created>;
  read: (request: ReadRequest) => Promise<ReadResult | undefined>;
  update: (request: UpdateRequest) => Promise<Properties>;
  delete: (request: DeleteRequest) => Promise<void>;
  invoke: (token: string) => never;
  cancel: () => void;
}

async function identityOf(inputs: Record<string, string>): Promise<Identity | undefined> {
  const { kubeconfig, context, cluster } = readOptions(inputs, {});
  try {
    const { server, ca } = selectCluster(await loadSources(kubeconfig), { context, cluster });
    return { server, ca: ca.base64 ?? ca.file ?? "" };
  } catch (error) {
    // An old kubeconfig's file may be gone: then nothing says that the cluster is another one.
    if (error instanceof PluginError) return undefined;
    throw error;
  }
}

export function createProvider(log: Log): Provider {
  const cancelled = new AbortController();
  let session: Session | undefined;
  // The engine asks some things before it configures, with inputs that are not known yet.
  const current = (): Session =>
    (session ??= createSession(readOptions({}, process.env), log, cancelled.signal));
  return {
    checkConfig: checkOptions,
    diffConfig: async (olds, news) =>
      diffConfig(olds, news, [await identityOf(olds), await identityOf(news)], hasUnknown),
    configure: (inputs) => {
      session?.close();
      session = createSession(readOptions(inputs, process.env), log, cancelled.signal);
      log.info(NOTICE);
    },
    check: (request) => check(current(), request),
    diff: (request) => planDiff(current(), request),
    create: (request) => create(current(), request),
    read: (request) => read(current(), request),
    update: (request) => update(current(), request),
    delete: (request) => remove(current(), request),
    invoke: (token) => {
      throw new PluginError(
        `${token} is not supported by Mayfly's stand-in for the Kubernetes provider plugin (the official one can't be had here)`,
      );
    },
    cancel: () => {
      cancelled.abort();
    },
  };
}
