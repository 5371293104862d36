import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { imageDocuments, packArchive } from "../../../images/build/archive.ts";
import { sha256File, sha256Text } from "../../../images/build/sum.ts";
import { ENTRYPOINT, environment, LAYOUT } from "../../../images/spark/layout.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-archive-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const content = ["base layer", "spark layer"];
const layers = content.map((text, index) => {
  const path = join(folder, `${index}.tar`);
  writeFileSync(path, text);
  return { path, what: text, digest: `sha256:${sha256Text(text)}`, size: text.length };
});

const config = {
  name: "mayfly.dev/spark:4.0.1",
  user: "185:185",
  env: environment("2.13"),
  entrypoint: ENTRYPOINT,
  workDir: LAYOUT.workDir,
  labels: {},
};
const documents = imageDocuments(config, layers);

describe("an image's documents", () => {
  test("name the config by its digest in both forms, which is the image id", () => {
    const path = `blobs/${documents.id.replace(":", "/")}`;
    expect(documents.id).toBe(`sha256:${sha256Text(documents.files[path] ?? "")}`);
    expect(documents.files["manifest.json"]).toContain(path);
  });

  test("say in the config what a container starts as", () => {
    const path = `blobs/${documents.id.replace(":", "/")}`;
    expect(JSON.parse(documents.files[path] ?? "")).toMatchObject({
      os: "linux",
      config: {
        User: "185:185",
        Entrypoint: ["/usr/bin/tini", "--"],
        WorkingDir: "/opt/spark/work-dir",
        Env: expect.arrayContaining(["SPARK_HOME=/opt/spark", "SPARK_SCALA_VERSION=2.13"]) as unknown,
      },
      rootfs: { diff_ids: layers.map(({ digest }) => digest) },
    });
  });

  test("lead from the index by digest and size to the manifest, under the image's name", () => {
    const manifest = documents.files[`blobs/${documents.manifest.replace(":", "/")}`] ?? "";
    expect(JSON.parse(documents.files["index.json"] ?? "")).toMatchObject({
      manifests: [
        {
          digest: `sha256:${sha256Text(manifest)}`,
          size: manifest.length,
          annotations: { "io.containerd.image.name": "mayfly.dev/spark:4.0.1" },
        },
      ],
    });
  });

  test("are the same for the same layers, and others for others", () => {
    expect(imageDocuments(config, layers)).toEqual(documents);
    expect(imageDocuments(config, layers.toReversed()).id).not.toBe(documents.id);
  });
});

test("an archive holds the documents and the layers, and is the same each time", async () => {
  const paths = [join(folder, "one.tar"), join(folder, "two.tar")];
  for (const path of paths) await packArchive(documents, layers, folder, path);
  const [one = "", two = ""] = paths;
  expect(await sha256File(two)).toBe(await sha256File(one));
  const listed = execFileSync("tar", ["-tf", one], { encoding: "utf8" }).split("\n");
  for (const name of Object.keys(documents.files)) expect(listed).toContain(name);
  for (const { digest } of layers) expect(listed).toContain(`blobs/${digest.replace(":", "/")}`);
  const first = execFileSync("tar", ["-xOf", one, `blobs/${layers[0]?.digest.replace(":", "/") ?? ""}`]);
  expect(first.toString()).toBe("base layer");
});
