import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../../base/errors.ts";
import { Plan } from "../../schema/plan.ts";
import { atTheDoor, readJson } from "../door.ts";
import { parseConfig } from "../parse.ts";
import { type JobProgramOutputs, jobProgram } from "./program.ts";

const HINT =
  "Write one with 'mayfly plan job.yaml --out plan.json', then: pulumi config set planFile /absolute/path/plan.json";

/** The plan: the object `plan` of the stack's config, or the JSON file that `planFile` names. */
async function readPlan(): Promise<Plan> {
  const config = new pulumi.Config();
  const file = config.get("planFile");
  const inline: unknown = config.getObject("plan");
  if (file !== undefined && inline !== undefined) {
    throw new UserError("plan-twice", "Both plan and planFile are set; one of them is enough.", {
      path: "mayfly-job:planFile",
      hint: "Run: pulumi config rm planFile",
    });
  }
  const what = "The plan";
  if (file !== undefined) {
    return parseConfig(Plan, await readJson(resolve(file), HINT), { what, where: file, prefix: "" });
  }
  if (inline !== undefined) {
    return parseConfig(Plan, inline, { what, where: "mayfly-job:plan", prefix: "mayfly-job:plan" });
  }
  throw new UserError("plan-missing", "This stack has no plan.", {
    path: "mayfly-job:planFile",
    hint: HINT,
  });
}

/** `pulumi up` in this folder: the same program that the engine runs, with its plan from the stack's config. */
export default async function door(): Promise<JobProgramOutputs> {
  return await atTheDoor(async () =>
    jobProgram({
      plan: await readPlan(),
      authenticationSecret: pulumi.secret(randomBytes(32).toString("base64url")),
    }),
  );
}
