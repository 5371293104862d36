import type { types } from "@pulumi/kubernetes";
import type { PlannedService } from "../../schema/plan.ts";
import { mebibytes } from "../core/quantities.ts";
import { confinedContainer, confinedPod } from "../run/pod.ts";

/** The one folder that the pod can write to. */
const TEMPORARY = "/tmp";

/**
 * Seconds between a pod's being taken out of the Service and its SIGTERM: the node's rules for Services are changed meanwhile, so that no
 * new call reaches a server that is on its way out.
 */
const LEAVE_SECONDS = 3;

/** Whether a replica can take calls. There is no liveness probe: killing a server that is busy makes the others busier. */
const readinessProbe = ({ readyPath, port }: PlannedService): types.input.core.v1.Probe => ({
  ...(readyPath === undefined ? { tcpSocket: { port } } : { httpGet: { path: readyPath, port } }),
  periodSeconds: 5,
  timeoutSeconds: 3,
  failureThreshold: 3,
});

/** A service's pod: confined as the run's own pods are, without the run's secret, its files and the tenant's identity. */
export const servicePod = (
  service: PlannedService,
  ours: Readonly<Record<string, string>>,
): types.input.core.v1.PodSpec => ({
  ...confinedPod(service),
  restartPolicy: "Always",
  // A node that goes should take few of them along; better together than not at all.
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { ...ours } },
    },
  ],
  containers: [
    {
      ...confinedContainer(service.image, TEMPORARY, service.container, [
        { name: "temporary", mountPath: TEMPORARY },
      ]),
      readinessProbe: readinessProbe(service),
      lifecycle: { preStop: { sleep: { seconds: LEAVE_SECONDS } } },
    },
  ],
  volumes: [{ name: "temporary", emptyDir: { sizeLimit: mebibytes(service.temporary) } }],
});
