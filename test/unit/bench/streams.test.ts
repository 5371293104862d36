import { expect, test } from "vitest";
import { completedSeconds } from "../../bench/streams/cycle.ts";
import { recordsIn } from "../../bench/streams/milestones.ts";

test("records that came to tasks are added up; other metrics, and what tasks sent, are not", () => {
  const metrics = [
    "# TYPE flink_taskmanager_job_task_numRecordsIn counter",
    'flink_taskmanager_job_task_numRecordsIn{job_name="clicks",task_name="Source: numbers -> until",} 0.0',
    'flink_taskmanager_job_task_numRecordsIn{job_name="clicks",task_name="count -> files",subtask_index="0",} 41.0',
    'flink_taskmanager_job_task_numRecordsIn{job_name="clicks",task_name="count -> files",subtask_index="1",} 1.0E3',
    'flink_taskmanager_job_task_numRecordsOut{job_name="clicks",task_name="Source: numbers -> until",} 99.0',
    'flink_taskmanager_job_task_numRecordsInPerSecond{job_name="clicks",} 50.0',
  ].join("\n");
  expect(recordsIn(metrics)).toBe(1041);
  expect(recordsIn("")).toBe(0);
});

test("a savepoint took what the log says of the last one that was completed", () => {
  const line = (id: number, ms: number): string =>
    `2026-11-24 16:00:00,000 INFO  CheckpointCoordinator [] - Completed checkpoint ${id} for job 00ff (1234 bytes, checkpointDuration=${ms} ms, finalizationTime=20 ms).`;
  expect(completedSeconds([line(1, 100), line(2, 480)].join("\n"))).toBe(0.5);
  expect(completedSeconds("no checkpoint")).toBeNaN();
});
