/** The lab: a real single-node Kubernetes, an S3 store, Pulumi and the Spark images on this machine. */
export { labDoctor } from "./doctor.ts";
export { labDown } from "./down.ts";
export { labEnv } from "./env.ts";
export { leftoverLines } from "./leftovers.ts";
export { labProvide } from "./provide.ts";
export { labStatus, statusRows } from "./status.ts";
export { labUp } from "./up.ts";
