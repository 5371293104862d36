import * as pulumi from "@pulumi/pulumi";
import { atTheDoor } from "../door.ts";
import { readConfig } from "./config.ts";
import { type EnvironmentOutputs, environmentProgram } from "./program.ts";

/** `pulumi up` in the project's root: the stack's name is the environment's. */
export default async function door(): Promise<EnvironmentOutputs> {
  return await atTheDoor(async () => await environmentProgram(pulumi.getStack(), readConfig()));
}
