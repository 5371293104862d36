import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { apply, imagePod, outcome, temporaryNamespace } from "../lab/pods.ts";

/** Starts both roles in one container and tells for each how many classes came from the archive. */
const SCRIPT = readFileSync(join(projectDir, "test/flink/images.sh"), "utf8");

const pod = (namespace: string, name: string, image: string): object =>
  imagePod(namespace, name, {
    ...{ container: "flink", image, script: SCRIPT },
    resources: { limits: { memory: "2Gi" }, requests: { cpu: "50m", memory: "1Gi" } },
    volumes: [{ name: "scratch", mountPath: "/scratch", of: { emptyDir: {} } }],
  });

let namespace: Awaited<ReturnType<typeof temporaryNamespace>>;

beforeAll(async () => {
  namespace = await temporaryNamespace("flink-images");
});

afterAll(async () => {
  await namespace.remove();
});

describe.each(["2.3.0", "1.20.1"])("the image of Flink %s", (version) => {
  test("starts both roles under Pod Security `restricted`, with its class-data archive in use", async () => {
    const name = `flink-${version.replaceAll(".", "-")}`;
    await apply(pod(namespace.name, name, `mayfly.dev/flink:${version}`));
    const { code, log } = await outcome(namespace.name, name, 240);
    expect(code, log).toBe(0);
    const lines = log.split("\n");
    expect(lines).toContain("user 185:185");
    expect(lines).toContain("root file system read-only");

    /** @returns How many of what kind came from the archive, and their share. */
    const archived = (role: string, kind: string): { count: number; share: number } => {
      const found = lines
        .map((line) => new RegExp(`^${role} ${kind} (\\d+) of (\\d+)$`).exec(line))
        .find(Boolean);
      const [count, all] = [Number(found?.[1]), Number(found?.[2])];
      return { count, share: count / all };
    };
    expect(archived("jobmanager", "archived").count, log).toBeGreaterThan(2000);
    expect(archived("jobmanager", "archived").share, log).toBeGreaterThan(0.9);
    expect(archived("taskmanager", "archived").count, log).toBeGreaterThan(4000);
    expect(archived("taskmanager", "archived").share, log).toBeGreaterThan(0.9);
    // From the class loader of Pekko's own jar, which is unpacked anew each time.
    expect(archived("taskmanager", "pekko").count, log).toBeGreaterThan(500);
    expect(archived("taskmanager", "pekko").share, log).toBeGreaterThan(0.8);
  });
});
