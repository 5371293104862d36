import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { assembleArguments, ENTRYPOINT, ENVIRONMENT, LAYOUT, USER } from "./layout.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** The same image by Docker's hands. Build it with images/flink as context. Pure. */
export function flinkDockerfile({ version, image }: FlinkRecipe): string {
  const env = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return `# Rendered from images/flink/recipe.ts by 'bin/node scripts/images.ts render': change that, not this.
# docker build -t ${image} -f images/flink/${version}/Dockerfile images/flink

FROM python:3-slim AS libraries
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

FROM base AS flink
ENV ${env.join(" \\\n    ")}
RUN --mount=type=bind,from=libraries,source=/download,target=/tmp/build/download \\
    --mount=type=bind,from=jars,source=/jars,target=/tmp/build/jars \\
    --mount=type=bind,source=files,target=/tmp/build/files \\
    --mount=type=bind,source=${version}/jvm,target=/tmp/build/jvm \\
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} sh /tmp/build/files/assemble.sh ${assembleArguments("/tmp/build").join(" ")}
USER ${USER.id}:${USER.id}
WORKDIR ${LAYOUT.workDir}
ENTRYPOINT ${JSON.stringify(ENTRYPOINT)}
`;
}
