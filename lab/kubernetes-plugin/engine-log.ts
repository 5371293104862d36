// Boundary: the generated gRPC client of the engine, whose modules are CommonJS without named exports.
import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import type { Log } from "./session.ts";

/**
 * Sends messages to the engine that started the plugin.
 *
 * @param address Undefined for a plugin started by hand: messages then go to standard error.
 */
export function createEngineLog(address: string | undefined): Log & { readonly flush: () => Promise<void> } {
  const client =
    address === undefined
      ? undefined
      : new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  const underway = new Set<Promise<void>>();
  const send = (
    severity: engine.LogSeverity,
    message: string,
    urn: string | undefined,
    ephemeral: boolean,
  ): void => {
    if (client === undefined) {
      process.stderr.write(`${message}\n`);
      return;
    }
    const request = new engine.LogRequest();
    request.setSeverity(severity);
    request.setMessage(message);
    if (urn !== undefined) request.setUrn(urn);
    request.setEphemeral(ephemeral);
    const sent = new Promise<void>((resolve) => {
      // The engine may be gone already; a message is no reason to fail an operation.
      client.log(request, () => {
        resolve();
      });
    });
    underway.add(sent);
    void sent.then(() => underway.delete(sent));
  };
  return {
    info: (message, urn) => {
      send(engine.LogSeverity.INFO, message, urn, false);
    },
    warning: (message, urn) => {
      send(engine.LogSeverity.WARNING, message, urn, false);
    },
    status: (message, urn) => {
      send(engine.LogSeverity.INFO, message, urn, true);
    },
    flush: async () => {
      await Promise.all(underway);
    },
  };
}
