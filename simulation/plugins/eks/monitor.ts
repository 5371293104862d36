// Boundary: the engine's gRPC protocol for components, whose generated modules are CommonJS and hand properties over untyped.
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import type { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import monitorGrpc from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import monitorPb from "@pulumi/pulumi/proto/resource_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { Json, JsonRecord } from "../../json.ts";
import { hasUnknown, resourceReference, UNKNOWN_VALUE, withoutNulls } from "../../wire.ts";
import { PluginError } from "../provider.ts";

/** A value, and the URNs of the resources that it comes from. */
export interface Value {
  readonly json: Json;
  readonly from: readonly string[];
}

export const plain = (json: Json): Value => ({ json, from: [] });

/** A value made of others; not known as long as one of them is not. */
export function made(values: readonly Value[], make: (...values: readonly Json[]) => Json): Value {
  const items = values.map(({ json }) => json);
  return {
    json: items.some(hasUnknown) ? UNKNOWN_VALUE : make(...items),
    from: [...new Set(values.flatMap(({ from }) => from))],
  };
}

/** A record of values, known as far as they are. */
export const record = (entries: Readonly<Record<string, Value | undefined>>): Value => ({
  json: Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]): [string, Json][] =>
      value === undefined ? [] : [[key, value.json]],
    ),
  ),
  from: [...new Set(Object.values(entries).flatMap((value) => value?.from ?? []))],
});

/** A resource that the engine knows. */
export interface Registered {
  readonly urn: string;
  readonly id: string;
  readonly state: JsonRecord;
}

/** An output of a resource; not known where it has none by this name (yet). */
export const output = ({ urn, state }: Registered, property: string): Value => ({
  json: state[property] ?? UNKNOWN_VALUE,
  from: [urn],
});

export const idOf = ({ urn, id }: Registered): Value => ({ json: id, from: [urn] });

/** `urn::id`, as the engine names providers. */
export const providerReference = ({ urn, id }: Registered): string => `${urn}::${id}`;

export const reference = ({ urn, id }: Registered, version: string): Value => ({
  json: resourceReference(urn, id, version),
  from: [urn],
});

/** What is registered. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly properties: Readonly<Record<string, Value | undefined>>;
  /** For a custom resource, `urn::id`; the parent's where it is left out. */
  readonly provider?: string | undefined;
  /** For a component: what its children use, by package. */
  readonly providers?: ReadonlyMap<string, string>;
  readonly component?: boolean;
  readonly dependsOn?: readonly string[];
  readonly ignoreChanges?: readonly string[];
  /** Of the plugin. */
  readonly version?: string;
  readonly protect?: boolean | undefined;
  readonly aliases?: readonly unknown[];
}

/** The engine, as a component's code sees it. */
export interface Monitor {
  readonly register: (registration: Registration) => Promise<Registered>;
  readonly setOutputs: (urn: string, outputs: JsonRecord) => Promise<void>;
  readonly invoke: (token: string, args: JsonRecord, provider: string) => Promise<JsonRecord>;
  /** A resource that was registered before, by its URN. */
  readonly lookUp: (urn: string) => Promise<Registered>;
  readonly close: () => void;
}

const write = (record: JsonRecord): structPb.Struct => structPb.Struct.fromJavaScript({ ...record });

const read = (struct: structPb.Struct | undefined): JsonRecord =>
  struct === undefined ? {} : withoutNulls(struct.toJavaScript());

function requestOf(registration: Registration): InstanceType<typeof monitorPb.RegisterResourceRequest> {
  const request = new monitorPb.RegisterResourceRequest();
  const values = Object.entries(registration.properties).flatMap(([key, value]): [string, Value][] =>
    value === undefined ? [] : [[key, value]],
  );
  request.setType(registration.type);
  request.setName(registration.name);
  request.setParent(registration.parent);
  request.setCustom(registration.component !== true);
  request.setObject(write(Object.fromEntries(values.map(([key, { json }]) => [key, json]))));
  request.setDependenciesList([
    ...new Set([...(registration.dependsOn ?? []), ...values.flatMap(([, { from }]) => from)]),
  ]);
  for (const [key, { from }] of values) {
    const dependencies = new monitorPb.RegisterResourceRequest.PropertyDependencies();
    dependencies.setUrnsList([...from]);
    request.getPropertydependenciesMap().set(key, dependencies);
  }
  if (registration.provider !== undefined) request.setProvider(registration.provider);
  for (const [name, value] of registration.providers ?? []) request.getProvidersMap().set(name, value);
  request.setIgnorechangesList([...(registration.ignoreChanges ?? [])]);
  request.setVersion(registration.version ?? "");
  if (registration.protect !== undefined) request.setProtect(registration.protect);
  request.setAliasesList((registration.aliases ?? []) as never[]);
  request.setAliasspecs(true);
  request.setAcceptsecrets(true);
  request.setAcceptresources(true);
  request.setSupportspartialvalues(true);
  return request;
}

/** @param address Of the engine's monitor; each construction comes with its own. */
export function openMonitor(address: string): Monitor {
  const client = new monitorGrpc.ResourceMonitorClient(address, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const registerResource = promisify<
    InstanceType<typeof monitorPb.RegisterResourceRequest>,
    InstanceType<typeof monitorPb.RegisterResourceResponse>
  >(client.registerResource.bind(client));
  const registerOutputs = promisify<InstanceType<typeof monitorPb.RegisterResourceOutputsRequest>, unknown>(
    client.registerResourceOutputs.bind(client),
  );
  const call = promisify<InstanceType<typeof monitorPb.ResourceInvokeRequest>, InvokeResponse>(
    client.invoke.bind(client),
  );

  const invoke: Monitor["invoke"] = async (token, args, provider) => {
    const request = new monitorPb.ResourceInvokeRequest();
    request.setTok(token);
    request.setArgs(write(args));
    request.setProvider(provider);
    request.setAcceptresources(true);
    const response = await call(request);
    const [failure] = response.getFailuresList();
    if (failure !== undefined) throw new PluginError(`${token}: ${failure.getReason()}`);
    return read(response.getReturn());
  };

  return {
    register: async (registration) => {
      const response = await registerResource(requestOf(registration));
      // An empty id is one that is not known yet.
      return {
        urn: response.getUrn(),
        id: response.getId() === "" ? UNKNOWN_VALUE : response.getId(),
        state: read(response.getObject()),
      };
    },
    setOutputs: async (urn, outputs) => {
      const request = new monitorPb.RegisterResourceOutputsRequest();
      request.setUrn(urn);
      request.setOutputs(write(outputs));
      await registerOutputs(request);
    },
    invoke,
    lookUp: async (urn) => {
      const { id, state } = await invoke("pulumi:pulumi:getResource", { urn }, "");
      const isBag = typeof state === "object" && state !== null && !Array.isArray(state);
      return {
        urn,
        id: typeof id === "string" && id !== "" ? id : UNKNOWN_VALUE,
        state: isBag ? (state as JsonRecord) : {},
      };
    },
    close: () => {
      client.close();
    },
  };
}
