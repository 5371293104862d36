import { type Lock, lockedRequirement } from "../build/lock.ts";
import { jarSums, pom } from "../build/maven.ts";
import { flinkDockerfile } from "./dockerfile.ts";
import { jvmOptions } from "./jvm.ts";
import { FLINK_ROLES } from "./layout.ts";
import { flinkPackages } from "./lock.ts";
import type { FlinkRecipe } from "./recipe.ts";

/**
 * The files that both ways of building read, rendered from the recipe: path below images/flink to content. They are committed, so
 * that `docker build` works in a plain clone; a test compares them with this.
 */
export const flinkContext = (recipe: FlinkRecipe, lock: Lock): Readonly<Record<string, string>> => ({
  [`${recipe.version}/Dockerfile`]: flinkDockerfile(recipe),
  [`${recipe.version}/pom.xml`]: pom(flinkPackages(recipe).jars),
  [`${recipe.version}/requirements.txt`]: lockedRequirement(flinkPackages(recipe), lock),
  [`${recipe.version}/jars.sha256`]: jarSums(flinkPackages(recipe).jars, lock.jars),
  ...Object.fromEntries(FLINK_ROLES.map((role) => [`${recipe.version}/jvm/${role}.args`, jvmOptions(role)])),
});
