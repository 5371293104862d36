// Boundary file: it reaches into the Pulumi SDK's internals (runtime/state, the mock monitor), which are untyped; record.test.ts
// pins what it relies on. Mocks alone show neither parents, dependencies, providers nor whether a component was sealed.
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";

const require = createRequire(import.meta.url);
// CommonJS, to get the very module instances that the SDK itself uses.
const { withLocalStorage } = require("@pulumi/pulumi/runtime/state") as {
  withLocalStorage: <T>(callback: () => T) => T;
};
const { runInPulumiStack } = require("@pulumi/pulumi/runtime/stack") as {
  runInPulumiStack: (program: () => Promise<unknown>) => Promise<unknown>;
};
const { getMonitor } = require("@pulumi/pulumi/runtime/settings") as { getMonitor: () => MockMonitor };

/** One registered resource, as the engine would see it. */
export interface Registration {
  readonly urn: string;
  /** Pulumi type token. */
  readonly type: string;
  readonly name: string;
  /** A resource with a provider; else a component. */
  readonly custom: boolean;
  /** Name of the parent; undefined below the stack itself. */
  readonly parent: string | undefined;
  /** What the program passed, secrets as `{ secret: value }`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that this one waits for, sorted. */
  readonly dependencies: readonly string[];
  /** Name of the explicit provider; undefined where the default provider would be used. */
  readonly provider: string | undefined;
  /** Names of the providers that a remote component gets for its children, sorted; none for all others. */
  readonly providers: readonly string[];
  readonly deletedWith: string | undefined;
  readonly ignoreChanges: readonly string[];
  readonly protect: boolean;
}

/** All that a program registered. */
export interface Graph {
  readonly resources: readonly Registration[];
  /** Resources that the program only read (`X.get`): type and id. */
  readonly read: readonly { readonly type: string; readonly id: string }[];
  /** Names of the components that registered outputs of their own; the SDK itself registers none for one that forgot. */
  readonly sealed: ReadonlySet<string>;
  readonly outputs: unknown;
  /** The one resource of this name. */
  readonly get: (name: string) => Registration;
  /** All resources whose type token ends so, such as `core/v1:Secret`. */
  readonly ofType: (suffix: string) => readonly Registration[];
}

/** How {@link record} runs a program. */
export interface RecordOptions {
  readonly preview?: boolean;
  readonly project?: string;
  readonly stack?: string;
  /** Pulumi config, `project:key` to text. */
  readonly config?: Readonly<Record<string, string>>;
  /** State of resources that the program reads, by id. */
  readonly existing?: Readonly<Record<string, object>>;
  /** What a resource reports beside its inputs, as the cloud would. */
  readonly outputs?: (made: { readonly type: string; readonly name: string }) => object;
}

type Struct = Parameters<typeof pulumi.runtime.deserializeProperties>[0];

/** The part of the SDK's generated RegisterResourceRequest that matters here. */
interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getObject(): Struct;
  getDependenciesList(): string[];
  getProvider(): string;
  getRemote(): boolean;
  getProvidersMap(): { forEach: (visit: (reference: string) => void) => void };
  getDeletedwith(): string;
  getIgnorechangesList(): string[];
  getProtect(): boolean | undefined;
}
type Callback = (error: unknown, response: { getUrn(): string }) => void;
interface MockMonitor {
  registerResource(request: Request, callback: Callback): Promise<void>;
  registerResourceOutputs(
    request: { getUrn(): string; getOutputs(): Struct },
    callback: (error: unknown, answer: unknown) => void,
  ): void;
}

const STACK_TYPE = "pulumi:pulumi:Stack";
const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/**
 * Runs a program against a mocked engine, isolated from other programs in this process, and returns what it registered. Every
 * resource's outputs are its inputs, and what `options.outputs` adds.
 */
export async function record(program: () => unknown, options: RecordOptions = {}): Promise<Graph> {
  const resources: Registration[] = [];
  const read: { type: string; id: string }[] = [];
  const sealed = new Set<string>();
  const failures: unknown[] = [];
  let outputs: unknown;
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ name, inputs, type, id, custom }) => {
      if (id !== undefined && id !== "") {
        read.push({ type, id });
        // A stack that was never updated has no outputs.
        return { id, state: options.existing?.[id] ?? { outputs: {} } };
      }
      // Every AWS resource has an ARN that only AWS knows.
      const known = type.startsWith("aws:") ? { arn: `arn:aws:::${name}` } : {};
      const state = { ...known, ...(inputs as object), ...options.outputs?.({ type, name }) };
      return { id: custom === false ? undefined : `${name}-id`, state };
    },
    call: ({ token }) => {
      throw new Error(`the program called ${token}, which is no part of a pure program`);
    },
  };

  await withLocalStorage(async () => {
    const { project = "mayfly-job", stack = "test", preview = false } = options;
    // The organization is what a file backend says of it.
    await pulumi.runtime.setMocks(mocks, project, stack, preview, "organization");
    pulumi.runtime.setAllConfig({ ...options.config });
    observe(getMonitor(), resources, sealed);
    // Resolved inside the stack's context: outputs know their values once all registrations are through.
    // A thrown error is kept and thrown below, since the SDK also lets it go as an unhandled rejection.
    outputs = await runInPulumiStack(async () => {
      try {
        return await program();
      } catch (error) {
        failures.push(error);
        return undefined;
      }
    });
    await pulumi.runtime.disconnect();
  });

  if (failures.length > 0) throw failures[0];
  const known = resources.filter(({ type }) => type !== STACK_TYPE);
  return {
    resources: known,
    read,
    sealed,
    outputs,
    get: (name) =>
      only(
        name,
        known.filter((resource) => resource.name === name),
      ),
    ofType: (suffix) => known.filter(({ type }) => type.endsWith(suffix)),
  };
}

function observe(monitor: MockMonitor, resources: Registration[], sealed: Set<string>): void {
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = async (request, callback) => {
    await register(request, (error, response) => {
      if (error === null || error === undefined) resources.push(registrationOf(request, response.getUrn()));
      callback(error, response);
    });
  };
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request, callback) => {
    const outputs = pulumi.runtime.deserializeProperties(request.getOutputs());
    if (Object.keys(outputs).length > 0) sealed.add(nameOf(request.getUrn()));
    registerOutputs(request, callback);
  };
}

function registrationOf(request: Request, urn: string): Registration {
  const parent = request.getParent();
  const provider = request.getProvider();
  const deletedWith = request.getDeletedwith();
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: parent === "" || parent.includes(`::${STACK_TYPE}::`) ? undefined : nameOf(parent),
    inputs: plain(pulumi.runtime.deserializeProperties(request.getObject())) as Record<string, unknown>,
    dependencies: [...new Set(request.getDependenciesList().map(nameOf))].sort(),
    provider: provider === "" ? undefined : providerName(provider),
    providers: request.getRemote() ? providersOf(request) : [],
    deletedWith: deletedWith === "" ? undefined : nameOf(deletedWith),
    ignoreChanges: request.getIgnorechangesList(),
    protect: request.getProtect() ?? false,
  };
}

/** A provider reference is its URN and its id. */
const providerName = (reference: string): string => nameOf(reference.split("::").slice(0, 4).join("::"));

function providersOf(request: Request): string[] {
  const names: string[] = [];
  request.getProvidersMap().forEach((reference) => names.push(providerName(reference)));
  return names.sort();
}

/** Turns the SDK's wire form of secrets into `{ secret: value }`. */
function plain(value: unknown): unknown {
  if (pulumi.runtime.isRpcSecret(value)) return { secret: plain(pulumi.runtime.unwrapRpcSecret(value)) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function only<T>(what: string, items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`${items.length} resources are called ${what}`);
  return item;
}
