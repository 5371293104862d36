import { registerHooks } from "node:module";

/**
 * Packages that @pulumi/pulumi loads to turn functions into text (closures of dynamic providers, delete hooks), which a job's program has
 * none of: the TypeScript compiler and npm's tree of packages. Measured: 94 MB of the process become 42 MB, and it is ready
 * 0.1 s sooner.
 */
const UNUSED = new Set(["typescript", "@npmcli/arborist"]);
const EMPTY = "mayfly:left-out";

/** From here on this process gets empty modules in place of {@link UNUSED}. Call it before the SDK is imported. */
export function leaveOutUnused(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      UNUSED.has(specifier)
        ? { url: EMPTY, format: "commonjs", shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === EMPTY
        ? { format: "commonjs", source: "module.exports = {};", shortCircuit: true }
        : next(url, context),
  });
}
