/** Where things are in the worker's image. components/platform says the same for the pod; a test compares them. */
export const WORKER_LAYOUT = {
  /** Mayfly's sources and the npm packages that they need. */
  home: "/opt/mayfly",
  node: "/usr/local/bin/node",
  /** First on PATH of all that Pulumi starts. */
  pulumiBin: "/opt/mayfly/pulumi/bin",
  /** PULUMI_HOME, read-only: plugins are in it, and nothing else needs to be. */
  pulumiHome: "/opt/mayfly/pulumi/home",
  /** The only folder, beside /tmp, that has to be writable. */
  work: "/var/mayfly",
} as const;

/** Nobody in particular: as in other images without a user of their own. */
export const WORKER_USER = { name: "mayfly", id: 65532 } as const;

/** The image's environment. */
export const WORKER_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: WORKER_LAYOUT.work,
  USER: WORKER_USER.name,
  XDG_STATE_HOME: `${WORKER_LAYOUT.work}/state`,
  XDG_CACHE_HOME: `${WORKER_LAYOUT.work}/cache`,
  NODE_ENV: "production",
};

/**
 * tini passes signals on and reaps what killed engines leave behind. The command is Mayfly's own, so that a pod gives arguments only:
 * `work --slots 2`.
 */
export const WORKER_ENTRYPOINT = ["/usr/bin/tini", "--", `${WORKER_LAYOUT.home}/bin/mayfly`] as const;

/** bin/node of the image: everything is installed, and Node is the image's. */
export const NODE_SCRIPT = `#!/bin/sh
NODE_COMPILE_CACHE=\${NODE_COMPILE_CACHE:-\${XDG_CACHE_HOME:-/tmp}/node}
export NODE_COMPILE_CACHE
exec ${WORKER_LAYOUT.node} --disable-warning=ExperimentalWarning "$@"
`;

/** Where the engine looks for the Kubernetes plugin of a version, below PULUMI_HOME. */
export const pluginFile = (version: string): string =>
  `plugins/resource-kubernetes-v${version}/pulumi-resource-kubernetes`;

/** The stand-in for the official plugin, as the engine starts it. */
export const STAND_IN_SCRIPT = `#!/bin/sh
# Mayfly's stand-in for the official Kubernetes plugin, which could not be had where this image was built.
exec ${WORKER_LAYOUT.home}/bin/node --max-semi-space-size=1 ${WORKER_LAYOUT.home}/lab/kubernetes-plugin/main.ts "$@"
`;
