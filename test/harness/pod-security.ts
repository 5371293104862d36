// Pod Security Admission, level `restricted` of version 1.34, as far as pod specs of ours can offend it. Written from
// https://kubernetes.io/docs/concepts/security/pod-security-standards/ and the list in staging/src/k8s.io/pod-security-admission.
import { z } from "zod";

const Security = z
  .looseObject({
    privileged: z.boolean().optional(),
    allowPrivilegeEscalation: z.boolean().optional(),
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.number().optional(),
    procMount: z.string().optional(),
    seccompProfile: z.looseObject({ type: z.string() }).optional(),
    appArmorProfile: z.looseObject({ type: z.string() }).optional(),
    seLinuxOptions: z.looseObject({ type: z.string().optional(), user: z.string().optional() }).optional(),
    windowsOptions: z.looseObject({ hostProcess: z.boolean().optional() }).optional(),
    sysctls: z.array(z.looseObject({ name: z.string() })).optional(),
    capabilities: z
      .looseObject({ add: z.array(z.string()).default([]), drop: z.array(z.string()).default([]) })
      .optional(),
  })
  .prefault({});

const Handler = z
  .looseObject({
    httpGet: z.looseObject({ host: z.string().optional() }).optional(),
    tcpSocket: z.looseObject({ host: z.string().optional() }).optional(),
  })
  .optional();

const Resources = z.looseObject({
  requests: z.record(z.string(), z.string()).default({}),
  limits: z.record(z.string(), z.string()).default({}),
});

const Container = z.looseObject({
  name: z.string(),
  securityContext: Security,
  ports: z.array(z.looseObject({ hostPort: z.number().optional() })).default([]),
  resources: Resources.prefault({}),
  livenessProbe: Handler,
  readinessProbe: Handler,
  startupProbe: Handler,
  lifecycle: z.looseObject({ postStart: Handler, preStop: Handler }).optional(),
});

/** As much of a pod spec as the checks look at. */
export const PodSpec = z.looseObject({
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  serviceAccountName: z.string().optional(),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  hostUsers: z.boolean().optional(),
  securityContext: Security,
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
  initContainers: z.array(Container).default([]),
  containers: z.array(Container).min(1),
  ephemeralContainers: z.array(Container).default([]),
});
export type PodSpec = z.infer<typeof PodSpec>;

export const containersOf = (pod: PodSpec): PodSpec["containers"] => [
  ...pod.initContainers,
  ...pod.containers,
  ...pod.ephemeralContainers,
];

const VOLUME_TYPES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
]);

/** Why `restricted` would refuse a pod, one line a reason; empty for a compliant one. */
export function restrictedViolations(input: unknown): string[] {
  const pod = PodSpec.parse(input);
  const found: string[] = [];
  const unless = (fine: boolean, problem: string): void => {
    if (!fine) found.push(problem);
  };
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) unless(pod[field] !== true, field);
  for (const { name, ...rest } of pod.volumes) {
    const types = Object.keys(rest).filter((key) => rest[key] !== undefined);
    unless(
      types.length === 1 && types.every((type) => VOLUME_TYPES.has(type)),
      `volume ${name} is ${types.join()}`,
    );
  }
  const podLevel = pod.securityContext;
  for (const { name } of podLevel.sysctls ?? []) unless(SYSCTLS.has(name), `sysctl ${name}`);
  for (const { where, security } of [
    { where: "pod", security: podLevel },
    ...containersOf(pod).map(({ name, securityContext }) => ({ where: name, security: securityContext })),
  ]) {
    unless(security.windowsOptions?.hostProcess !== true, `${where}: hostProcess`);
    unless(security.runAsUser !== 0, `${where}: runAsUser 0`);
    unless(
      ["RuntimeDefault", "Localhost", undefined].includes(security.appArmorProfile?.type),
      `${where}: AppArmor`,
    );
    unless(
      ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", undefined].includes(
        security.seLinuxOptions?.type,
      ) && !security.seLinuxOptions?.user,
      `${where}: SELinux`,
    );
  }
  for (const container of containersOf(pod)) {
    const { name, securityContext: own } = container;
    unless(own.privileged !== true, `${name}: privileged`);
    unless(own.allowPrivilegeEscalation === false, `${name}: allowPrivilegeEscalation`);
    unless([undefined, "Default"].includes(own.procMount), `${name}: procMount`);
    unless((own.runAsNonRoot ?? podLevel.runAsNonRoot) === true, `${name}: runAsNonRoot`);
    const seccomp = (own.seccompProfile ?? podLevel.seccompProfile)?.type ?? "";
    unless(["RuntimeDefault", "Localhost"].includes(seccomp), `${name}: seccomp`);
    unless(own.capabilities?.drop.includes("ALL") === true, `${name}: capabilities not dropped`);
    unless(
      (own.capabilities?.add ?? []).every((capability) => capability === "NET_BIND_SERVICE"),
      `${name}: capabilities added`,
    );
    unless(
      container.ports.every(({ hostPort }) => hostPort === undefined || hostPort === 0),
      `${name}: hostPort`,
    );
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
    unless(
      handlers.every((handler) => !handler?.httpGet?.host && !handler?.tcpSocket?.host),
      `${name}: host in a probe or hook`,
    );
  }
  return found;
}
