import { EC2 } from "./ec2.ts";
import { EKS } from "./eks.ts";
import type { Models } from "./model.ts";
import { SERVICES } from "./services.ts";

/** Every AWS type that is modelled, by type token. */
export const AWS_MODELS: Models = { ...EC2, ...EKS, ...SERVICES };
