import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { PlannedService } from "../../schema/plan.ts";

type Metric = types.input.autoscaling.v2.MetricSpec;

const metric = (scaleOn: NonNullable<PlannedService["scaleOn"]>): Metric => {
  switch (scaleOn.kind) {
    case "cpu":
      return {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: scaleOn.percent } },
      };
    case "metric":
      return {
        type: "Pods",
        pods: {
          metric: { name: scaleOn.name },
          target: { type: "AverageValue", averageValue: scaleOn.quantity },
        },
      };
  }
};

/** Up as soon as the load is there, down after the calm. @param deployment Name of the Deployment. */
export const autoscalerSpec = (
  { min, max, calm }: PlannedService["replicas"],
  scaleOn: NonNullable<PlannedService["scaleOn"]>,
  deployment: Input<string>,
): types.input.autoscaling.v2.HorizontalPodAutoscalerSpec => ({
  scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
  minReplicas: min,
  maxReplicas: max,
  metrics: [metric(scaleOn)],
  behavior: { scaleDown: { stabilizationWindowSeconds: calm } },
});
