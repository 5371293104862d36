import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { imageNames, provideImages } from "../../../images/index.ts";

const path = process.env["PATH"] ?? "";
const cache = process.env["XDG_CACHE_HOME"];
let folder = "";
const kept = (): string => join(folder, "mayfly", "images");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mayfly-provide-"));
  // A docker that notes what it is asked and does as docker would: fast, since here only the cache is looked at.
  const docker = join(folder, "docker");
  writeFileSync(
    docker,
    `#!/bin/sh
echo "$@" >>"${folder}/calls"
case $1 in
  build) echo "sha256:$(echo "$3" | tr -d -c 0-9)" >"$5" ;;
  save) echo "archive of $4" >"$3" ;;
esac
`,
  );
  chmodSync(docker, 0o755);
  process.env["PATH"] = `${folder}:${path}`;
  process.env["XDG_CACHE_HOME"] = folder;
});

afterEach(() => {
  process.env["PATH"] = path;
  if (cache === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cache;
  rmSync(folder, { recursive: true });
});

const calls = (): number => readFileSync(join(folder, "calls"), "utf8").trim().split("\n").length;

describe("providing images", () => {
  test("builds each once, and gives the same answer without building afterwards", async () => {
    const names = ["mayfly.dev/spark:4.0.1", "mayfly.dev/flink:2.3.0"];
    const images = await provideImages(names, { engine: "docker" });
    expect(images.map(({ name, digest }) => `${name} ${digest}`)).toEqual([
      "mayfly.dev/spark:4.0.1 sha256:401",
      "mayfly.dev/flink:2.3.0 sha256:230",
    ]);
    for (const { name, archive } of images)
      expect(readFileSync(archive, "utf8")).toBe(`archive of ${name}\n`);
    expect(calls()).toBe(4);
    expect(await provideImages(names, { engine: "docker" })).toEqual(images);
    expect(calls()).toBe(4);
  });

  test("builds again what lost its archive", async () => {
    const [image] = await provideImages(["mayfly.dev/spark:3.5.8"], { engine: "docker" });
    rmSync(image?.archive ?? "");
    await provideImages(["mayfly.dev/spark:3.5.8"], { engine: "docker" });
    expect(calls()).toBe(4);
  });

  test("clears away what a killed build left, and not what a running one works on", async () => {
    mkdirSync(join(kept(), "build-4194305"), { recursive: true });
    mkdirSync(join(kept(), `build-${process.ppid}`), { recursive: true });
    await provideImages(["mayfly.dev/spark:3.5.8"], { engine: "docker" });
    expect(readdirSync(kept()).filter((name) => name.startsWith("build-"))).toEqual([
      `build-${process.ppid}`,
    ]);
  });

  test("drops archives that nobody asked for in a week", async () => {
    mkdirSync(kept(), { recursive: true });
    const days = (count: number): number => Date.now() / 1000 - count * 86_400;
    for (const [stem, age] of [
      ["spark-3.5.8-old", 8],
      ["flink-2.3.0-old", 8],
      ["spark-3.5.8-recent", 6],
    ] as const) {
      for (const end of ["json", "tar"]) {
        writeFileSync(join(kept(), `${stem}.${end}`), "");
        utimesSync(join(kept(), `${stem}.${end}`), days(age), days(age));
      }
    }
    await provideImages(["mayfly.dev/spark:3.5.8"], { engine: "docker" });
    const left = readdirSync(kept());
    expect(left).toEqual(expect.arrayContaining(["spark-3.5.8-recent.json", "spark-3.5.8-recent.tar"]));
    expect(left.filter((name) => name.includes("old"))).toEqual([]);
  });

  test("refuses a name that there is no recipe for, and says which there are", async () => {
    await expect(provideImages(["mayfly.dev/spark:2.4.8"])).rejects.toMatchObject({
      code: "image-unknown",
      hint: `Known are ${imageNames().join(", ")}.`,
    });
  });
});
