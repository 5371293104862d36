import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";

/** What an engine's Dockerfile has of its own. */
export interface DockerfileParts {
  readonly engine: "spark" | "flink";
  readonly version: string;
  readonly image: string;
  /** Name of the stage that fetches from PyPI. */
  readonly pypiStage: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of files/assemble.sh, with its inputs in /tmp/build. */
  readonly assemble: readonly string[];
  /** `USER` instruction's user and group. */
  readonly user: number;
  /** Lines after the user is set, each with its newline. */
  readonly afterUser?: string;
  /** The build context: images/ENGINE, or images/ where it takes something of another engine. */
  readonly context?: "engine" | "images";
  readonly workDir: string;
  readonly entrypoint: readonly string[];
}

/** The Dockerfile of an engine's image: the same steps as without Docker. Pure. */
export function renderDockerfile(parts: DockerfileParts): string {
  const { engine, version, image, pypiStage, assemble, user, afterUser = "", workDir, entrypoint } = parts;
  const [context, at] = parts.context === "images" ? ["images", `${engine}/`] : [`images/${engine}`, ""];
  const env = Object.entries(parts.env).map(([name, value]) => `${name}=${value}`);
  return `# Rendered from images/${engine}/recipe.ts by 'bin/node scripts/images.ts render': change that, not this.
# docker build -t ${image} -f images/${engine}/${version}/Dockerfile ${context}

FROM python:3-slim AS ${pypiStage}
COPY ${at}${version}/requirements.txt /
RUN pip download --no-deps --no-binary=:all: --no-cache-dir --require-hashes -r /requirements.txt -d /download

FROM maven:3-eclipse-temurin-17 AS jars
COPY ${at}${version}/pom.xml ${at}${version}/jars.sha256 /build/
RUN mvn -B -q -f /build/pom.xml dependency:copy -DoutputDirectory=/jars \\
 && cd /jars && sha256sum --check --strict --quiet /build/jars.sha256

FROM ${BASE.dockerImage} AS base
RUN mkdir -p ${BASE.emptyFolders.join(" ")} \\
 && apt-get update \\
 && apt-get install -y --no-install-recommends ${BASE.packages.join(" ")} \\
 && rm -rf /var/lib/apt/lists/*

FROM base AS ${engine}
ENV ${env.join(" \\\n    ")}
RUN --mount=type=bind,from=${pypiStage},source=/download,target=/tmp/build/download \\
    --mount=type=bind,from=jars,source=/jars,target=/tmp/build/jars \\
    --mount=type=bind,source=${at}files,target=/tmp/build/files \\
    --mount=type=bind,source=${at}${version}/jvm,target=/tmp/build/jvm \\
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} sh /tmp/build/files/assemble.sh ${assemble.join(" ")}
USER ${user}:${user}
${afterUser}WORKDIR ${workDir}
ENTRYPOINT ${JSON.stringify(entrypoint)}
`;
}
