import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../base/errors.ts";
import { planRun } from "../../../jobs/plan/index.ts";
import { loadPlan, loadSpec } from "../../../jobs/spec/index.ts";
import { environment, identity, wordcount } from "../plan/sample.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-spec-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
};

const failure = async (work: Promise<unknown>): Promise<UserError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("did not fail");
};

describe("loading a spec", () => {
  it("gives the spec of a YAML file", async () => {
    await expect(loadSpec(await write("job.yaml", JSON.stringify(wordcount())))).resolves.toEqual(
      wordcount(),
    );
  });

  it("fails with one error that lists every problem as file:line:column", async () => {
    const file = await write("bad.yaml", "apiVersion: mayfly.dev/v1\nname: X\nbogus: 1\n");
    const error = await failure(loadSpec(file));
    expect(error).toMatchObject({ code: "spec-invalid", exitCode: 65, path: `${file}:1:1` });
    expect(error.message).toContain(`${file} has 7 problems:`);
    expect(error.message).toContain(`\n  ${file}:3:1 bogus: unknown field`);
    expect(error.hint).toContain("docs/job-spec.md");
  });

  it("says that a file is not there, and which one may have been meant", async () => {
    await write("wordcount.yaml", "");
    const error = await failure(loadSpec(join(folder, "wordcount.yml")));
    expect(error).toMatchObject({ code: "spec-not-found", exitCode: 66 });
    expect(error.hint).toBe(`Did you mean ${join(folder, "wordcount.yaml")}?`);
  });

  it("says that a folder is a folder, and what is in it", async () => {
    const error = await failure(loadSpec(folder));
    expect(error).toMatchObject({ code: "spec-not-a-file", exitCode: 65 });
    expect(error.hint).toContain("wordcount.yaml");
  });

  it.each([
    { what: "zero bytes", content: Buffer.from([0x41, 0, 0x42]), code: "spec-binary" },
    { what: "bytes that are not UTF-8", content: Buffer.from([0xff, 0xfe, 0x41]), code: "spec-binary" },
    { what: "more than 1 MiB", content: Buffer.alloc(1024 * 1024 + 1, "#"), code: "spec-too-large" },
  ])("refuses $what", async ({ content, code }) => {
    const error = await failure(loadSpec(await write("odd.yaml", content)));
    expect(error).toMatchObject({ code, exitCode: 65 });
  });

  it("says that a path through a file leads nowhere", async () => {
    const file = await write("plain.yaml", "");
    expect((await failure(loadSpec(join(file, "job.yaml")))).code).toBe("spec-not-found");
  });
});

describe("loading a plan", () => {
  it("gives back the plan that was written", async () => {
    const result = planRun(wordcount(), environment(), identity);
    const plan = result.ok ? result.plan : undefined;
    await expect(loadPlan(await write("plan.json", JSON.stringify(plan)))).resolves.toEqual(plan);
  });

  it("finds what was changed by hand, with its line", async () => {
    const result = planRun(wordcount(), environment(), identity);
    const text = JSON.stringify(result.ok ? result.plan : {}, undefined, 2).replace(
      '"attempt": 1,',
      '"attempt": 0,\n  "attempts": 3,',
    );
    const error = await failure(loadPlan(await write("changed.json", text)));
    expect(error.code).toBe("plan-invalid");
    expect(error.message).toMatch(/changed\.json:9:14 attempt: must be at least 1 \(is 0\)/);
    expect(error.message).toMatch(/changed\.json:10:3 attempts: unknown field; did you mean attempt\?/);
  });

  it("does not take a spec for a plan", async () => {
    const error = await failure(loadPlan(await write("job.json", '{"name": "x", "tenant": "acme"}')));
    expect(error).toMatchObject({ code: "plan-invalid" });
    expect(error.message).toContain("none of its fields is known");
  });
});
