import { UNKNOWN } from "../../../../policy/values.ts";
import { component, container, deployment, type Example, object } from "./builders.ts";

const pod = (more: Readonly<Record<string, unknown>> = {}) => ({ containers: [container()], ...more });

export const POD_EXAMPLES: readonly Example[] = [
  {
    rule: "no-host-access",
    bad: [
      {
        title: "a pod on the node's network that sees its processes",
        resources: [deployment(pod({ hostNetwork: true, hostPID: true, hostIPC: true }))],
        says: [
          "web: spec.template.spec.hostNetwork is on",
          "web: spec.template.spec.hostPID is on",
          "web: spec.template.spec.hostIPC is on",
        ],
      },
      {
        title: "a folder of the node",
        resources: [deployment(pod({ volumes: [{ name: "logs", hostPath: { path: "/var/log" } }] }))],
        says: ["web: spec.template.spec.volumes[0].hostPath mounts a folder of the node"],
      },
      {
        title: "a privileged container that takes a port of the node",
        resources: [
          deployment(
            pod({
              containers: [
                container({
                  securityContext: {
                    privileged: true,
                    allowPrivilegeEscalation: true,
                    capabilities: { add: ["SYS_ADMIN"], drop: ["ALL"] },
                  },
                  ports: [{ containerPort: 80 }, { containerPort: 443, hostPort: 443 }],
                }),
              ],
            }),
          ),
        ],
        says: [
          "web: spec.template.spec.containers[0].securityContext.privileged is on (container web)",
          "web: spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation is not false (container web)",
          "web: spec.template.spec.containers[0].securityContext.capabilities.add adds SYS_ADMIN (container web)",
          "web: spec.template.spec.containers[0].ports[1].hostPort takes port 443 of the node (container web)",
        ],
      },
      {
        title: "init and ephemeral containers that say nothing of escalation, in a CronJob",
        resources: [
          object("batch/v1:CronJob", "report", {
            spec: {
              jobTemplate: {
                spec: {
                  template: {
                    spec: pod({
                      initContainers: [container({ name: "set-up", securityContext: {} })],
                      ephemeralContainers: [container({ name: "debug", securityContext: undefined })],
                    }),
                  },
                },
              },
            },
          }),
        ],
        says: [
          "report: spec.jobTemplate.spec.template.spec.initContainers[0].securityContext.allowPrivilegeEscalation is not false (container set-up)",
          "report: spec.jobTemplate.spec.template.spec.ephemeralContainers[0].securityContext.allowPrivilegeEscalation is not false (container debug)",
        ],
      },
      {
        title: "a namespace that only begins like a system's",
        resources: [deployment(pod({ hostNetwork: true }), { namespace: "kube-system-acme" })],
        says: ["web: spec.template.spec.hostNetwork is on"],
      },
      {
        title: "a patch that makes somebody else's pods privileged",
        resources: [
          {
            ...component("kubernetes:apps/v1:DaemonSetPatch", "agent"),
            props: {
              metadata: { namespace: "logging" },
              spec: { template: { spec: { containers: [{ securityContext: { privileged: true } }] } } },
            },
          },
        ],
        says: ["agent: spec.template.spec.containers[0].securityContext.privileged is on (container 0)"],
      },
      {
        title: "a volume that is a folder of the node",
        resources: [
          object(
            "core/v1:PersistentVolume",
            "scratch",
            { spec: { hostPath: { path: "/scratch" } } },
            { protect: true },
          ),
        ],
        says: ["scratch: spec.hostPath gives a folder of the node to whoever claims the volume"],
      },
    ],
    good: [
      { title: "a pod apart from its node", resources: [deployment(pod())] },
      {
        title: "an agent of the cluster, in each of the named namespaces",
        resources: ["kube-system", "calico-system", "tigera-operator", "mayfly-system"].map((namespace) =>
          deployment(
            pod({
              hostNetwork: true,
              volumes: [{ name: "cni", hostPath: { path: "/opt/cni" } }],
              containers: [container({ securityContext: { privileged: true } })],
            }),
            { namespace },
          ),
        ),
      },
      {
        title: "a namespace that is not known yet",
        resources: [deployment(pod({ hostNetwork: true }), { namespace: UNKNOWN })],
      },
      {
        title: "a patch that changes something else",
        resources: [
          {
            ...component("kubernetes:apps/v1:DaemonSetPatch", "agent"),
            props: {
              metadata: { namespace: "logging" },
              spec: { template: { spec: { containers: [{ name: "agent", env: [] }] } } },
            },
          },
        ],
      },
    ],
  },
  {
    rule: "limits-on-containers",
    bad: [
      {
        title: "containers of all three kinds without limits",
        resources: [
          deployment({
            initContainers: [container({ name: "set-up", resources: { limits: { cpu: "1" } } })],
            containers: [container({ resources: { requests: { cpu: "1", memory: "1Gi" } } })],
            ephemeralContainers: [container({ name: "debug", resources: { limits: { memory: "1Gi" } } })],
          }),
        ],
        says: [
          "web: spec.template.spec.initContainers[0].resources.limits has no memory (container set-up)",
          "web: spec.template.spec.containers[0].resources.limits has no cpu and no memory (container web)",
          "web: spec.template.spec.ephemeralContainers[0].resources.limits has no cpu (container debug)",
        ],
      },
      {
        title: "a system's container: its namespace changes nothing",
        resources: [
          object("core/v1:Pod", "agent", {
            metadata: { namespace: "kube-system" },
            spec: { containers: [container({ name: "agent", resources: undefined })] },
          }),
        ],
        says: ["agent: spec.containers[0].resources.limits has no cpu and no memory (container agent)"],
      },
    ],
    good: [
      { title: "a container with both", resources: [deployment(pod())] },
      {
        title: "limits that are not known yet",
        resources: [
          deployment(
            pod({ containers: [container({ resources: { limits: { cpu: UNKNOWN, memory: UNKNOWN } } })] }),
          ),
        ],
      },
    ],
  },
  {
    rule: "images-by-digest",
    bad: [
      {
        title: "a tag, and a digest cut short",
        resources: [
          deployment({
            initContainers: [container({ image: "mayfly.dev/spark:4.0.1" })],
            containers: [container({ image: "mayfly.dev/spark@sha256:0a0b" })],
          }),
        ],
        says: [
          "web: spec.template.spec.initContainers[0].image is mayfly.dev/spark:4.0.1",
          "web: spec.template.spec.containers[0].image is mayfly.dev/spark@sha256:0a0b",
        ],
      },
      {
        title: "a tag where only the pod's own labels say production",
        resources: [
          object(
            "batch/v1:Job",
            "coordinator",
            {
              spec: {
                template: {
                  metadata: { labels: { "mayfly.dev/class": "production" } },
                  spec: pod({ volumes: [{ name: "jars", image: { reference: "acme/jars:latest" } }] }),
                },
              },
            },
            { class: "lab" },
          ),
        ],
        says: ["coordinator: spec.template.spec.volumes[0].image.reference is acme/jars:latest"],
      },
    ],
    good: [
      { title: "a digest", resources: [deployment(pod())] },
      {
        title: "tags in the lab, and where no class is said",
        resources: [
          deployment(
            pod({ containers: [container({ image: "mayfly.dev/spark:4.0.1" })] }),
            {},
            { class: "lab" },
          ),
          deployment(pod({ containers: [container({ image: "mayfly.dev/spark:4.0.1" })] }), {
            labels: { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/environment": "prod" },
          }),
        ],
      },
    ],
  },
];
