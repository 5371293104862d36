import { dockerfile } from "./dockerfile.ts";
import { jvmOptions } from "./jvm.ts";
import { SPARK_ROLES } from "./layout.ts";
import type { Lock } from "./lock.ts";
import { jarFile, type SparkRecipe } from "./recipe.ts";

/** Reads Spark's archive by hash, or not at all. */
export const requirements = ({ version }: SparkRecipe, { sdist }: Lock): string =>
  `pyspark==${version} --hash=sha256:${sdist.sha256}\n`;

/** Input of `sha256sum --check` for the S3 jars. */
export const jarSums = (recipe: SparkRecipe, lock: Lock): string =>
  recipe.s3Jars
    .map(jarFile)
    .toSorted()
    .map((file) => `${lock.jars[file] ?? ""}  ${file}\n`)
    .join("");

/** A Maven project that only names jars: `mvn dependency:copy -DoutputDirectory=…` fetches exactly these, without what they depend on. */
export function pom({ s3Jars }: SparkRecipe): string {
  const items = s3Jars.map(
    ({ group, artifact, version }) =>
      `            <artifactItem><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></artifactItem>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.mayfly</groupId>
  <artifactId>s3-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.6.1</version>
        <configuration>
          <artifactItems>
${items.join("\n")}
          </artifactItems>
        </configuration>
      </plugin>
    </plugins>
  </build>
</project>
`;
}

/**
 * The files that both ways of building read, rendered from the recipe: path below images/spark to content. They are committed, so
 * that `docker build` works in a plain clone; a test compares them with this.
 */
export const buildContext = (recipe: SparkRecipe, lock: Lock): Readonly<Record<string, string>> => ({
  [`${recipe.version}/Dockerfile`]: dockerfile(recipe),
  [`${recipe.version}/pom.xml`]: pom(recipe),
  [`${recipe.version}/requirements.txt`]: requirements(recipe, lock),
  [`${recipe.version}/jars.sha256`]: jarSums(recipe, lock),
  ...Object.fromEntries(
    SPARK_ROLES.map((role) => [`${recipe.version}/jvm/${role}.args`, jvmOptions(recipe, role)]),
  ),
});
