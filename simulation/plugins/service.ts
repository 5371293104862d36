// Boundary: the engine's gRPC protocol, whose generated modules are CommonJS and hand properties over untyped.
import grpc from "@grpc/grpc-js";
import type pluginTypes from "@pulumi/pulumi/proto/plugin_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type providerTypes from "@pulumi/pulumi/proto/provider_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { type JsonRecord, parseJson } from "../json.ts";
import { revealRecord, withoutNulls } from "../wire.ts";
import { type Comparison, showPath } from "./compare.ts";
import { PluginError, type Provider } from "./provider.ts";

type Struct = structPb.Struct;

const read = (struct: Struct | undefined): JsonRecord => {
  if (struct === undefined) return {};
  return withoutNulls(struct.toJavaScript());
};

// The library's type wants an index signature that our read-only one is not.
const write = (properties: JsonRecord): Struct => structPb.Struct.fromJavaScript({ ...properties });

/** Provider inputs reach a plugin as text; what is not text in the program comes as JSON. */
const configOf = (struct: Struct | undefined): JsonRecord => withJson(revealRecord(read(struct)));

const withJson = (values: JsonRecord): JsonRecord =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "string" ? (parseJson(value) ?? value) : value,
    ]),
  );

function toServiceError(error: unknown): Partial<grpc.ServiceError> {
  // A user's problem is a message; a defect also says where, in the engine's own log.
  const known = error instanceof PluginError;
  const message = error instanceof Error ? error.message : String(error);
  if (!known) process.stderr.write(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  const details = known ? message : `a defect in Mayfly's simulation: ${message}`;
  return { code: grpc.status.UNKNOWN, details };
}

/** Answers one kind of call with what `handle` returns, or with its error. */
const unary =
  <Request, Response>(handle: (request: Request) => Response | Promise<Response>) =>
  (call: { readonly request: Request }, callback: grpc.sendUnaryData<Response>): void => {
    Promise.resolve(call.request)
      .then(handle)
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(toServiceError(error), null);
        },
      );
  };

const unimplemented = (_: unknown, callback: grpc.sendUnaryData<never>): void => {
  callback({ code: grpc.status.UNIMPLEMENTED, details: "not part of Mayfly's simulation" }, null);
};

function checked(inputs: Struct | undefined): providerTypes.CheckResponse {
  const response = new providerPb.CheckResponse();
  response.setInputs(inputs);
  return response;
}

function diffResponse({ changes, deleteBeforeReplace }: Comparison): providerTypes.DiffResponse {
  const { Kind } = providerPb.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
  const tops = (paths: Comparison["changes"]): string[] => [
    ...new Set(paths.map(({ path }) => String(path[0]))),
  ];
  const response = new providerPb.DiffResponse();
  response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList(tops(changes.filter(({ replaces }) => replaces)));
  response.setDiffsList(tops(changes));
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  for (const { kind, path, replaces } of changes) {
    const difference = new providerPb.PropertyDiff();
    difference.setKind(kinds[kind][replaces ? 1 : 0]);
    difference.setInputdiff(true);
    response.getDetaileddiffMap().set(showPath(path), difference);
  }
  return response;
}

async function constructResponse(
  provider: Provider,
  request: providerTypes.ConstructRequest,
): Promise<providerTypes.ConstructResponse> {
  const inputDependencies = new Map<string, readonly string[]>();
  request.getInputdependenciesMap().forEach((value, key) => {
    inputDependencies.set(key, value.getUrnsList());
  });
  const providers = new Map<string, string>();
  request.getProvidersMap().forEach((value, key) => {
    providers.set(key, value);
  });
  const { urn, state, dependencies } = await provider.construct({
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent(),
    inputs: read(request.getInputs()),
    inputDependencies,
    providers,
    dependencies: request.getDependenciesList(),
    aliases: request.getAliasesList(),
    protect: request.hasProtect() ? request.getProtect() : undefined,
    monitor: request.getMonitorendpoint(),
  });
  const response = new providerPb.ConstructResponse();
  response.setUrn(urn);
  response.setState(write(state));
  for (const [key, urns] of dependencies) {
    const list = new providerPb.ConstructResponse.PropertyDependencies();
    list.setUrnsList([...urns]);
    response.getStatedependenciesMap().set(key, list);
  }
  return response;
}

/** The handlers of a resource provider. */
function handlers(
  name: string,
  version: string,
  provider: Provider,
  attach: (address: string) => void,
): grpc.UntypedServiceImplementation {
  const empty = (): emptyPb.Empty => new emptyPb.Empty();
  return {
    handshake: unary((_: providerTypes.ProviderHandshakeRequest) => {
      const response = new providerPb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: unary((request: pluginTypes.PluginAttach) => {
      attach(request.getAddress());
      return empty();
    }),
    getPluginInfo: unary(() => {
      const info = new pluginPb.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: unary(() => {
      const response = new providerPb.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name, version }));
      return response;
    }),
    getMapping: unary(() => new providerPb.GetMappingResponse()),
    getMappings: unary(() => new providerPb.GetMappingsResponse()),
    checkConfig: unary((request: providerTypes.CheckRequest) => checked(request.getNews())),
    diffConfig: unary((request: providerTypes.DiffRequest) =>
      diffResponse(
        provider.diffConfig(
          configOf(request.getOldInputs() ?? request.getOlds()),
          configOf(request.getNews()),
        ),
      ),
    ),
    configure: unary((request: providerTypes.ConfigureRequest) => {
      const prefix = `${name}:config:`;
      const variables: Record<string, string> = {};
      request.getVariablesMap().forEach((value, key) => {
        if (key.startsWith(prefix)) variables[key.slice(prefix.length)] = value;
      });
      provider.configure(withJson(variables));
      const response = new providerPb.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      // Asked for by components only: resources in their inputs and outputs stay resources.
      response.setAcceptresources(name === "eks");
      return response;
    }),
    check: unary((request: providerTypes.CheckRequest) =>
      checked(write(provider.check(request.getUrn(), read(request.getOlds()), read(request.getNews())))),
    ),
    diff: unary((request: providerTypes.DiffRequest) =>
      diffResponse(
        provider.diff(
          request.getUrn(),
          read(request.getOldInputs() ?? request.getOlds()),
          read(request.getNews()),
        ),
      ),
    ),
    create: unary((request: providerTypes.CreateRequest) => {
      const { id, properties } = provider.create(
        request.getUrn(),
        read(request.getProperties()),
        request.getPreview(),
      );
      const response = new providerPb.CreateResponse();
      response.setId(request.getPreview() ? "" : id);
      response.setProperties(write(properties));
      return response;
    }),
    read: unary((request: providerTypes.ReadRequest) => {
      const { id, properties, inputs } = provider.read(
        request.getUrn(),
        request.getId(),
        read(request.getProperties()),
        read(request.getInputs()),
      );
      const response = new providerPb.ReadResponse();
      response.setId(id);
      response.setProperties(write(properties));
      response.setInputs(write(inputs));
      return response;
    }),
    update: unary((request: providerTypes.UpdateRequest) => {
      const response = new providerPb.UpdateResponse();
      const properties = provider.update(
        request.getUrn(),
        request.getId(),
        read(request.getOlds()),
        read(request.getOldInputs()),
        read(request.getNews()),
        request.getPreview(),
      );
      response.setProperties(write(properties));
      return response;
    }),
    delete: unary(empty),
    invoke: unary((request: providerTypes.InvokeRequest) => {
      const response = new providerPb.InvokeResponse();
      response.setReturn(write(provider.invoke(request.getTok(), revealRecord(read(request.getArgs())))));
      return response;
    }),
    construct: unary((request: providerTypes.ConstructRequest) => constructResponse(provider, request)),
    cancel: unary(empty),
    call: unimplemented,
    parameterize: unimplemented,
    list: (call: grpc.ServerWritableStream<unknown, unknown>) => {
      call.emit("error", { code: grpc.status.UNIMPLEMENTED, details: "List is not supported" });
    },
  };
}

/** A plugin that listens. */
export interface Listening {
  readonly port: number;
  readonly stop: () => void;
}

/**
 * Serves a provider on a free port of the loopback interface.
 *
 * @param name The package, such as `aws`: its configuration comes with this prefix.
 */
export async function serve(
  name: string,
  version: string,
  provider: Provider,
  attach: (address: string) => void,
): Promise<Listening> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(providerGrpc.ResourceProviderService, handlers(name, version, provider, attach));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    stop: () => {
      server.forceShutdown();
    },
  };
}
