// Loaded into the program's process before the SDK (NODE_OPTIONS in workspace.ts): half a second less for each operation.

// The language host that the lab builds (3.60) does not read `typescript: false` of Pulumi.yaml, so the SDK would load ts-node and the
// compiler although Node strips the types itself.
process.env.PULUMI_NODEJS_TYPESCRIPT = "false";

// The SDK takes a stack trace for each resource and installs source-map-support, which then maps each through the SDK's own source
// maps. Stripped types keep their lines, so that traces of the program stay right without it.
Object.defineProperty(Error, "prepareStackTrace", { get: () => undefined, set: () => undefined });
