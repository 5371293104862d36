import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { assembleArguments, ENTRYPOINT, environment, LAYOUT, USER } from "./layout.ts";
import type { SparkRecipe } from "./recipe.ts";

/** The same image by Docker's hands. Build it with images/spark as context. Pure. */
export function dockerfile(recipe: SparkRecipe): string {
  const { version, scala, credentialsProvider } = recipe;
  const env = Object.entries(environment(scala)).map(([name, value]) => `${name}=${value}`);
  return `# Rendered from images/spark/recipe.ts by 'bin/node scripts/images.ts render': change that, not this.
# docker build -t ${recipe.image} -f images/spark/${version}/Dockerfile images/spark

FROM python:3-slim AS pyspark
COPY ${version}/requirements.txt /
RUN pip download --no-deps --no-binary=:all: --no-cache-dir --require-hashes -r /requirements.txt -d /download

FROM maven:3-eclipse-temurin-17 AS jars
COPY ${version}/pom.xml ${version}/jars.sha256 /build/
RUN mvn -B -q -f /build/pom.xml dependency:copy -DoutputDirectory=/jars \\
 && cd /jars && sha256sum --check --strict --quiet /build/jars.sha256

FROM ${BASE.dockerImage} AS base
RUN mkdir -p ${BASE.emptyFolders.join(" ")} \\
 && apt-get update \\
 && apt-get install -y --no-install-recommends ${BASE.packages.join(" ")} \\
 && rm -rf /var/lib/apt/lists/*

FROM base AS spark
ENV ${env.join(" \\\n    ")}
RUN --mount=type=bind,from=pyspark,source=/download,target=/tmp/build/download \\
    --mount=type=bind,from=jars,source=/jars,target=/tmp/build/jars \\
    --mount=type=bind,source=files,target=/tmp/build/files \\
    --mount=type=bind,source=${version}/jvm,target=/tmp/build/jvm \\
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} sh /tmp/build/files/assemble.sh ${assembleArguments("/tmp/build").join(" ")}
USER ${USER.id}:${USER.id}
RUN --mount=type=bind,source=files,target=/tmp/build/files \\
    sh /tmp/build/files/archives.sh ${credentialsProvider}
WORKDIR ${LAYOUT.workDir}
ENTRYPOINT ${JSON.stringify(ENTRYPOINT)}
`;
}
