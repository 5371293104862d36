// The checks of test/harness judge everything else, so they are judged here: each must accept a control and refuse one change,
// for the reason of that change.
import { describe, expect, test } from "vitest";
import { type Policy, passes } from "../harness/network.ts";
import { restrictedViolations } from "../harness/pod-security.ts";

const container = (changes: object = {}, security: object = {}) => ({
  name: "driver",
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, ...security },
  ...changes,
});
const pod = (changes: object = {}, one = container(), security: object = {}) => ({
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" }, ...security },
  containers: [one],
  volumes: [{ name: "scratch", emptyDir: {} }],
  ...changes,
});

describe("the check of Pod Security restricted", () => {
  test("accepts a compliant pod", () => {
    expect(restrictedViolations(pod())).toEqual([]);
  });

  test.each([
    ["hostNetwork", pod({ hostNetwork: true })],
    ["hostPID", pod({ hostPID: true })],
    ["hostIPC", pod({ hostIPC: true })],
    ["volume disk is hostPath", pod({ volumes: [{ name: "disk", hostPath: { path: "/" } }] })],
    ["sysctl kernel.msgmax", pod({}, container(), { sysctls: [{ name: "kernel.msgmax" }] })],
    ["pod: runAsUser 0", pod({}, container(), { runAsUser: 0 })],
    ["driver: runAsUser 0", pod({}, container({}, { runAsUser: 0 }))],
    ["driver: runAsNonRoot", pod({}, container(), { runAsNonRoot: undefined })],
    ["driver: seccomp", pod({}, container({}, { seccompProfile: { type: "Unconfined" } }))],
    ["driver: seccomp", pod({}, container(), { seccompProfile: undefined })],
    ["driver: privileged", pod({}, container({}, { privileged: true }))],
    ["driver: allowPrivilegeEscalation", pod({}, container({}, { allowPrivilegeEscalation: undefined }))],
    ["driver: procMount", pod({}, container({}, { procMount: "Unmasked" }))],
    ["driver: capabilities not dropped", pod({}, container({}, { capabilities: { drop: ["NET_RAW"] } }))],
    [
      "driver: capabilities added",
      pod({}, container({}, { capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } })),
    ],
    ["driver: hostPort", pod({}, container({ ports: [{ containerPort: 1, hostPort: 80 }] }))],
    ["driver: AppArmor", pod({}, container({}, { appArmorProfile: { type: "Unconfined" } }))],
    ["driver: SELinux", pod({}, container({}, { seLinuxOptions: { type: "spc_t" } }))],
    ["driver: hostProcess", pod({}, container({}, { windowsOptions: { hostProcess: true } }))],
    [
      "driver: host in a probe or hook",
      pod({}, container({ livenessProbe: { httpGet: { host: "127.0.0.1", port: 10_250 } } })),
    ],
  ])("refuses: %s", (problem, spec) => {
    expect(restrictedViolations(spec)).toEqual([problem]);
  });

  test("looks at init containers too", () => {
    const privileged = { ...container({}, { privileged: true }), name: "setup" };
    expect(restrictedViolations(pod({ initContainers: [privileged] }))).toEqual(["setup: privileged"]);
  });
});

describe("the evaluation of network policies", () => {
  const end = (namespace: string, app: string) => ({
    address: "10.0.0.1",
    pod: { namespace, labels: { app } },
    namespaceLabels: { team: namespace },
  });
  const policy = (spec: Partial<Policy["spec"]>): Policy => ({
    metadata: { namespace: "shop" },
    spec: { podSelector: { matchLabels: {} }, policyTypes: [], ingress: [], egress: [], ...spec },
  });
  const flow = {
    from: end("shop", "web"),
    to: end("shop", "database"),
    protocol: "TCP",
    port: 5432,
  } as const;
  const ports = [{ protocol: "TCP" as const, port: 5432 }];

  test("without policies, everything passes", () => {
    expect(passes([], flow)).toBe(true);
  });

  test("a policy without rules denies its direction for the pods that it selects, in its namespace only", () => {
    const deny = policy({ policyTypes: ["Ingress"] });
    expect(passes([deny], flow)).toBe(false);
    expect(passes([deny], { ...flow, to: end("office", "database") })).toBe(true);
  });

  test("policies add up, and both ends have to allow", () => {
    const denyAll = policy({ policyTypes: ["Ingress", "Egress"] });
    const everyPod = { podSelector: { matchLabels: {} } };
    const enter = policy({ policyTypes: ["Ingress"], ingress: [{ from: [everyPod], ports }] });
    const leave = policy({ policyTypes: ["Egress"], egress: [{ to: [everyPod], ports }] });
    expect(passes([denyAll, enter], flow)).toBe(false);
    expect(passes([denyAll, enter, leave], flow)).toBe(true);
    expect(passes([denyAll, enter, leave], { ...flow, port: 22 })).toBe(false);
    expect(passes([denyAll, enter, leave], { ...flow, protocol: "UDP" })).toBe(false);
  });

  test("a peer by pod labels alone is one of the policy's own namespace", () => {
    const enter = policy({
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }], ports }],
    });
    expect(passes([enter], flow)).toBe(true);
    expect(passes([enter], { ...flow, from: end("office", "web") })).toBe(false);
  });

  test("a block of addresses has holes", () => {
    const leave = policy({
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], ports }],
    });
    expect(passes([leave], { ...flow, to: { address: "52.1.2.3" } })).toBe(true);
    expect(passes([leave], { ...flow, to: { address: "10.9.9.9" } })).toBe(false);
  });
});
