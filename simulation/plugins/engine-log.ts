// Boundary: the generated gRPC client of the engine, whose modules are CommonJS without named exports.
import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import type { Log } from "./provider.ts";

/**
 * Sends messages to the engine that started the plugin.
 *
 * @param address Undefined for a plugin started by hand: messages then go to standard error.
 */
export function createEngineLog(address: string | undefined): Log {
  const client =
    address === undefined
      ? undefined
      : new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  return {
    warning: (message, urn) => {
      if (client === undefined) {
        process.stderr.write(`${message}\n`);
        return;
      }
      const request = new engine.LogRequest();
      request.setSeverity(engine.LogSeverity.WARNING);
      request.setMessage(message);
      if (urn !== undefined) request.setUrn(urn);
      // The engine may be gone already; a message is no reason to fail an operation.
      client.log(request, () => undefined);
    },
  };
}
