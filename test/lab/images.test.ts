import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { imageNames, type ProvidedImage, provideImages } from "../../images/index.ts";
import { LAYOUT, SPARK_ROLES } from "../../images/spark/layout.ts";
import { importImages } from "../../lab/cluster/images.ts";
import { labUp } from "../../lab/index.ts";
import { apply, imagePod, outcome, temporaryNamespace } from "./pods.ts";

/** Runs a whole small cluster in one container and tells for each role how many classes came from the archive. */
const SCRIPT = readFileSync(join(projectDir, "test/lab/images.sh"), "utf8");

const pod = (namespace: string, name: string, image: string): object =>
  imagePod(namespace, name, {
    ...{ container: "spark", image, script: SCRIPT },
    resources: { limits: { memory: "3Gi" }, requests: { cpu: "100m", memory: "1Gi" } },
    volumes: [
      { name: "tmp", mountPath: "/tmp", of: { emptyDir: {} } },
      { name: "scratch", mountPath: "/scratch", of: { emptyDir: {} } },
      // A file in conf/.
      { name: "conf", mountPath: LAYOUT.conf, of: { configMap: { name: "conf" } } },
    ],
  });

let images: readonly ProvidedImage[] = [];
let namespace: Awaited<ReturnType<typeof temporaryNamespace>>;

beforeAll(async () => {
  await labUp();
  images = await provideImages(imageNames("spark"));
  await importImages(images);
  namespace = await temporaryNamespace("images");
  await apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "conf", namespace: namespace.name },
    data: { "core-site.xml": "<configuration/>" },
  });
}, 1_800_000);

afterAll(async () => {
  await namespace.remove();
});

test("images that were built once are provided again within a second", async () => {
  const since = performance.now();
  expect(await provideImages(imageNames("spark"))).toEqual(images);
  expect(performance.now() - since).toBeLessThan(1000);
});

test("both images stand on the same base layer", () => {
  expect(new Set(images.map(({ layers }) => layers[0]?.digest)).size).toBe(1);
});

describe.each(imageNames("spark"))("the image %s", (name) => {
  test("brings S3 in less than 11 MB", () => {
    const layer = images
      .find((image) => image.name === name)
      ?.layers.find(({ what }) => what.includes("S3A"));
    expect(layer?.size).toBeGreaterThan(4e6);
    expect(layer?.size).toBeLessThan(11e6);
  });

  test("runs a cluster under Pod Security `restricted`, with its class-data archive in use in each JVM", async () => {
    const podName = name.replaceAll(/[^\w]/g, "-");
    await apply(pod(namespace.name, podName, name));
    const { code, log } = await outcome(namespace.name, podName, 240);
    expect(code, log).toBe(0);
    const lines = log.split("\n");
    expect(lines).toContain("user 185:185");
    expect(lines).toContain("root file system read-only");
    expect(lines).toContain("sum 499500");
    for (const role of SPARK_ROLES) {
      const found = lines
        .map((line) => /^(\w+) archived (\d+) of (\d+)$/.exec(line))
        .find((m) => m?.[1] === role);
      const [archived, all] = [Number(found?.[2]), Number(found?.[3])];
      expect(archived, `${role}: ${log}`).toBeGreaterThan(2000);
      expect(archived / all, `${role}: ${archived} of ${all} classes`).toBeGreaterThan(0.85);
    }
  });
});
