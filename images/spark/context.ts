import { type Lock, lockedRequirement } from "../build/lock.ts";
import { jarSums, pom } from "../build/maven.ts";
import { dockerfile } from "./dockerfile.ts";
import { jvmOptions } from "./jvm.ts";
import { SPARK_ROLES } from "./layout.ts";
import { sparkPackages } from "./lock.ts";
import type { SparkRecipe } from "./recipe.ts";

/**
 * The files that both ways of building read, rendered from the recipe: path below images/spark to content. They are committed, so
 * that `docker build` works in a plain clone; a test compares them with this.
 */
export const buildContext = (recipe: SparkRecipe, lock: Lock): Readonly<Record<string, string>> => ({
  [`${recipe.version}/Dockerfile`]: dockerfile(recipe),
  [`${recipe.version}/pom.xml`]: pom(recipe.s3Jars),
  [`${recipe.version}/requirements.txt`]: lockedRequirement(sparkPackages(recipe), lock),
  [`${recipe.version}/jars.sha256`]: jarSums(recipe.s3Jars, lock.jars),
  ...Object.fromEntries(
    SPARK_ROLES.map((role) => [`${recipe.version}/jvm/${role}.args`, jvmOptions(recipe, role)]),
  ),
});
