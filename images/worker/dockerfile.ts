import { BASE } from "../base/recipe.ts";
import { pluginFile, WORKER_ENTRYPOINT, WORKER_ENVIRONMENT, WORKER_LAYOUT, WORKER_USER } from "./layout.ts";
import { SOURCES, WORKER_BASE } from "./recipe.ts";

/** Versions that the Dockerfile's own stages pin; the lab takes what it has built. */
export interface DockerPins {
  /** Of Node, such as `24`. */
  readonly node: string;
  /** Of the Pulumi CLI, such as `3.270.0`: that of the SDK. */
  readonly pulumi: string;
  /** Of the Kubernetes plugin: that of @pulumi/kubernetes. */
  readonly plugin: string;
}

/** The same image by Docker's hands, with the official plugin. Build it with the checkout as context. Pure. */
export function workerDockerfile({ node, pulumi, plugin }: DockerPins): string {
  const { name, id } = WORKER_USER;
  const { home, work } = WORKER_LAYOUT;
  const env = Object.entries(WORKER_ENVIRONMENT).map(([key, value]) => `${key}=${value}`);
  return `# Rendered from images/worker/ by 'bin/node scripts/images.ts render': change that, not this.
# docker build -t mayfly.dev/worker:dev -f images/worker/Dockerfile .

FROM node:${node}-bookworm-slim AS mayfly
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm install --omit=dev --ignore-scripts --no-fund --no-audit
COPY . .
RUN node --disable-warning=ExperimentalWarning images/worker/collect.ts /out${home}

FROM pulumi/pulumi-base:${pulumi} AS pulumi
RUN PULUMI_HOME=/home pulumi plugin install resource kubernetes ${plugin} \\
 && test -x /home/${pluginFile(plugin)}

FROM ${BASE.dockerImage}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ${WORKER_BASE.packages.join(" ")} \\
 && rm -rf /var/lib/apt/lists/* \\
 && echo "${name}:x:${id}:${id}::${work}:/usr/sbin/nologin" >>/etc/passwd \\
 && echo "${name}:x:${id}:" >>/etc/group \\
 && mkdir -p ${work}
COPY --from=mayfly ${WORKER_LAYOUT.node} ${WORKER_LAYOUT.node}
COPY --from=pulumi /pulumi/bin/pulumi ${WORKER_LAYOUT.pulumiBin}/pulumi
COPY --from=pulumi /home/plugins ${WORKER_LAYOUT.pulumiHome}/plugins
COPY --from=mayfly /out${home} ${home}
ENV ${env.join(" \\\n    ")}
LABEL org.opencontainers.image.title="Mayfly's worker" \\
      org.opencontainers.image.licenses="Apache-2.0" \\
      mayfly.dev/kubernetes-plugin="official"
USER ${id}:${id}
WORKDIR ${work}
ENTRYPOINT ${JSON.stringify(WORKER_ENTRYPOINT)}
`;
}

/** What of the checkout Docker's builder gets to see: https://docs.docker.com/build/concepts/context/#dockerignore-files */
export const workerIgnore = (): string =>
  ["*", ...[...SOURCES, "package-lock.json", "images"].map((source) => `!${source}`), ""].join("\n");
