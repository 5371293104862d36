import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { jobSchema } from "../../../jobs/spec/index.ts";

describe("examples/job.schema.json", () => {
  test("is what `mayfly schema` prints, so that editors check the examples by today's rules", async () => {
    const committed: unknown = JSON.parse(await readFile("examples/job.schema.json", "utf8"));
    expect(committed).toEqual(jobSchema());
  });
});
