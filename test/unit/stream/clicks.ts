import { FlinkStreamJob } from "../../../schema/job.ts";

/** A stream as its spec says it. */
export const clicks = FlinkStreamJob.parse({
  apiVersion: "mayfly.dev/v1",
  name: "clicks",
  tenant: "demo",
  engine: "flink",
  kind: "stream",
  version: "2.3.0",
  application: { kind: "jar", file: "s3://demo-code/clicks.jar", mainClass: "com.acme.Clicks" },
  jobManager: { cpu: "500m", memory: "1Gi" },
  taskManagers: { count: 1, slots: 2, cpu: "500m" },
  checkpoints: { location: "s3://demo-output/state/" },
  maxParallelism: 8,
});

/** The same job with another jar. */
export const clicksV2 = FlinkStreamJob.parse({
  ...clicks,
  deadline: undefined,
  application: { kind: "jar", file: "s3://demo-code/clicks-2.jar", mainClass: "com.acme.Clicks" },
});
