// Boundary: the engine's gRPC protocol, whose generated modules are CommonJS and hand properties over untyped.
import grpc from "@grpc/grpc-js";
import type pluginTypes from "@pulumi/pulumi/proto/plugin_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import type providerTypes from "@pulumi/pulumi/proto/provider_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { NotReadyError, PluginError } from "./errors.ts";
import type { Autonaming } from "./names.ts";
import type { Plan } from "./plan.ts";
import { createProvider, type Provider } from "./provider.ts";
import type { Log } from "./session.ts";
import { decode, encode, NO_PROPERTIES, type Properties } from "./wire.ts";

type Struct = structPb.Struct;

const read = (struct: Struct | undefined): Properties =>
  struct === undefined ? NO_PROPERTIES : decode(struct.toJavaScript());

// The library's type wants an index signature that our read-only one is not.
const write = (properties: Properties): Struct => structPb.Struct.fromJavaScript(encode(properties));

const textValues = (struct: Struct | undefined): Record<string, string> => {
  const entries = Object.entries(read(struct).value);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
};

/** An error as Go's gRPC sends it; the details tell the engine of an object that exists all the same. */
function toServiceError(error: unknown): Partial<grpc.ServiceError> {
  // A user's problem is a message; a defect also says where, in the engine's own log.
  const known = error instanceof PluginError;
  const message = error instanceof Error ? error.message : String(error);
  if (!known) process.stderr.write(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  const details = known ? message : `a defect in Mayfly's stand-in Kubernetes plugin: ${message}`;
  if (!(error instanceof NotReadyError)) return { code: grpc.status.UNKNOWN, details };
  const failure = new providerPb.ErrorResourceInitFailed();
  failure.setId(error.id);
  failure.setProperties(write(error.state));
  failure.setReasonsList([...error.reasons]);
  if (error.inputs !== undefined) failure.setInputs(write(error.inputs));
  const any = new anyPb.Any();
  any.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusPb.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(details);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details, metadata };
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

const unimplemented = unary<unknown, never>(() => {
  throw new PluginError("not supported by Mayfly's stand-in for the Kubernetes provider plugin");
});

function autonamingOf(request: providerTypes.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const { Mode } = providerPb.CheckRequest.AutonamingOptions;
  switch (options.getMode()) {
    case Mode.PROPOSE:
      return { mode: "propose", name: options.getProposedName() };
    case Mode.ENFORCE:
      return { mode: "enforce", name: options.getProposedName() };
    case Mode.DISABLE:
      return { mode: "disabled" };
  }
}

function checkResponse(
  inputs: Struct | undefined,
  failures: readonly { readonly property: string; readonly reason: string }[],
): providerTypes.CheckResponse {
  const response = new providerPb.CheckResponse();
  response.setInputs(inputs);
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new providerPb.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

function diffResponse(plan: Plan): providerTypes.DiffResponse {
  const { Kind } = providerPb.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const response = new providerPb.DiffResponse();
  const some = plan.changes.length > 0 || plan.replaces.length > 0;
  response.setChanges(
    some ? providerPb.DiffResponse.DiffChanges.DIFF_SOME : providerPb.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setReplacesList([...plan.replaces]);
  response.setDeletebeforereplace(plan.deleteBeforeReplace);
  response.setDiffsList([...new Set(plan.changes.map(({ path }) => String(path[0])))]);
  response.setHasdetaileddiff(true);
  for (const { kind, property, replaces } of plan.changes) {
    const difference = new providerPb.PropertyDiff();
    difference.setKind(kinds[kind][replaces ? 1 : 0]);
    difference.setInputdiff(true);
    response.getDetaileddiffMap().set(property, difference);
  }
  return response;
}

function configureResponse(
  provider: Provider,
  request: providerTypes.ConfigureRequest,
): providerTypes.ConfigureResponse {
  const prefix = "kubernetes:config:";
  const inputs: Record<string, string> = {};
  request.getVariablesMap().forEach((value, key) => {
    if (key.startsWith(prefix)) inputs[key.slice(prefix.length)] = value;
  });
  provider.configure(inputs);
  const response = new providerPb.ConfigureResponse();
  response.setAcceptsecrets(true);
  response.setSupportspreview(true);
  response.setSupportsAutonamingConfiguration(true);
  return response;
}

/** The handlers of a resource provider. */
function handlers(
  version: string,
  log: Log,
  attach: (address: string) => void,
): grpc.UntypedServiceImplementation {
  const provider = createProvider(log);
  const empty = (): emptyPb.Empty => new emptyPb.Empty();
  return {
    handshake: unary((_: providerTypes.ProviderHandshakeRequest) => {
      const response = new providerPb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setSupportsAutonamingConfiguration(true);
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
      response.setSchema(JSON.stringify({ name: "kubernetes", version }));
      return response;
    }),
    getMapping: unary(() => new providerPb.GetMappingResponse()),
    getMappings: unary(() => new providerPb.GetMappingsResponse()),
    checkConfig: unary((request: providerTypes.CheckRequest) =>
      checkResponse(request.getNews(), provider.checkConfig(textValues(request.getNews()))),
    ),
    diffConfig: unary(async (request: providerTypes.DiffRequest) => {
      const { diffs, replaces } = await provider.diffConfig(
        textValues(request.getOldInputs() ?? request.getOlds()),
        textValues(request.getNews()),
      );
      const response = new providerPb.DiffResponse();
      const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
      response.setChanges(diffs.length > 0 ? DIFF_SOME : DIFF_NONE);
      response.setDiffsList([...diffs]);
      response.setReplacesList([...replaces]);
      return response;
    }),
    configure: unary((request: providerTypes.ConfigureRequest) => configureResponse(provider, request)),
    check: unary(async (request: providerTypes.CheckRequest) => {
      const { inputs, failures } = await provider.check({
        urn: request.getUrn(),
        olds: read(request.getOlds()),
        news: read(request.getNews()),
        seed: request.getRandomseed_asU8(),
        autonaming: autonamingOf(request),
      });
      return checkResponse(write(inputs), failures);
    }),
    diff: unary(async (request: providerTypes.DiffRequest) =>
      diffResponse(
        await provider.diff({
          urn: request.getUrn(),
          olds: read(request.getOlds()),
          news: read(request.getNews()),
          ignoreChanges: request.getIgnorechangesList(),
        }),
      ),
    ),
    create: unary(async (request: providerTypes.CreateRequest) => {
      const created = await provider.create({
        urn: request.getUrn(),
        properties: read(request.getProperties()),
        timeout: request.getTimeout(),
        preview: request.getPreview(),
      });
      const response = new providerPb.CreateResponse();
      response.setId(created.id);
      response.setProperties(write(created.properties));
      return response;
    }),
    read: unary(async (request: providerTypes.ReadRequest) => {
      const found = await provider.read({
        id: request.getId(),
        urn: request.getUrn(),
        properties: read(request.getProperties()),
        inputs: read(request.getInputs()),
      });
      const response = new providerPb.ReadResponse();
      if (found === undefined) return response;
      response.setId(found.id);
      response.setProperties(write(found.properties));
      response.setInputs(write(found.inputs));
      return response;
    }),
    update: unary(async (request: providerTypes.UpdateRequest) => {
      const properties = await provider.update({
        urn: request.getUrn(),
        olds: read(request.getOlds()),
        news: read(request.getNews()),
        timeout: request.getTimeout(),
        preview: request.getPreview(),
        ignoreChanges: request.getIgnorechangesList(),
      });
      const response = new providerPb.UpdateResponse();
      response.setProperties(write(properties));
      return response;
    }),
    delete: unary(async (request: providerTypes.DeleteRequest) => {
      await provider.delete({
        id: request.getId(),
        urn: request.getUrn(),
        properties: read(request.getProperties()),
        timeout: request.getTimeout(),
      });
      return empty();
    }),
    invoke: unary((request: providerTypes.InvokeRequest): never => provider.invoke(request.getTok())),
    construct: unary((request: providerTypes.ConstructRequest): never => provider.invoke(request.getType())),
    cancel: unary(() => {
      provider.cancel();
      return empty();
    }),
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

/** Serves the provider on a free port of the loopback interface. */
export async function serve(
  version: string,
  log: Log,
  attach: (address: string) => void,
): Promise<Listening> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(providerGrpc.ResourceProviderService, handlers(version, log, attach));
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
