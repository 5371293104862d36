/** The lab: a real single-node Kubernetes, an S3 store, Pulumi and the Spark images on this machine. */
export { type DoctorReport, labDoctor } from "./doctor.ts";
export { labDown } from "./down.ts";
export { labEnv } from "./env.ts";
export { leftoverLines } from "./leftovers.ts";
export { type LabStatus, labStatus, type PartStatus, statusRows } from "./status.ts";
export { type LabUp, labUp } from "./up.ts";
