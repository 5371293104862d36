// An image that stands in for Spark: its "driver" takes as many seconds as its last argument says and succeeds (after 200 MB of log where
// an argument is \`--flood\`), master and worker wait.
// So a run is over in seconds, and Mayfly, Pulumi, the API server and the kubelet do all that they do for a real one.
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../../base/paths.ts";
import { importImages } from "../../lab/cluster/images.ts";
import { tar } from "../../lab/host/tar.ts";
import { importBusybox } from "../lab/pods.ts";

export const STAND_IN = "mayfly.dev/test/spark-stand-in:1";

/** Where the plan's commands begin (jobs/plan/spark/layout.ts): they go no further than this script. */
const SCRIPT = `#!/busybox sh
trap 'exit 143' TERM
seconds=3600
case " $* " in
  *" org.apache.spark.deploy.SparkSubmit "*) for seconds; do :; done ;;
esac
case " $* " in *" --flood "*) /busybox yes "a line that nobody wants" | /busybox head -c 200000000 ;; esac
echo "sleeping $seconds s"
/busybox sleep "$seconds" &
wait $!
echo "slept $seconds s"
`;

const SMALL = { cpu: "50m", memory: "512Mi" } as const;

/** A small job for it: two pods, coordinator and worker, whose driver ends after `seconds`. */
export const standInJob = (name: string, seconds: number): Readonly<Record<string, unknown>> => ({
  apiVersion: "mayfly.dev/v1",
  name,
  tenant: "demo",
  engine: "spark",
  version: "4.0",
  image: STAND_IN,
  application: { kind: "python", file: "local:///opt/spark/app.py" },
  arguments: [String(seconds)],
  driver: SMALL,
  workers: { count: 1, ...SMALL },
  scratch: { kind: "emptyDir", size: "256Mi" },
});

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

/** Puts the image into the lab, unless it is there. */
export async function importStandIn(): Promise<void> {
  await importBusybox();
  const folder = join(cacheDir(), "test", "busybox");
  const layer = tar([
    { name: "busybox", content: await readFile(join(folder, "bin", "busybox")), mode: 0o755 },
    { name: "usr/bin/tini", content: Buffer.from(SCRIPT), mode: 0o755 },
  ]);
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: { Entrypoint: ["/usr/bin/tini"], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "mayfly tests" }],
  });
  const name = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: [STAND_IN], Layers: ["layer.tar"] }]);
  const archive = join(folder, `stand-in-${process.pid}.tar`);
  const entry = (path: string, content: Buffer | string) => ({
    name: path,
    content: Buffer.from(content),
    mode: 0o644,
  });
  await writeFile(
    archive,
    tar([entry(name, config), entry("layer.tar", layer), entry("manifest.json", manifest)]),
  );
  try {
    await importImages([{ name: STAND_IN, digest: `sha256:${sha256(config)}`, archive }]);
  } finally {
    await rm(archive, { force: true });
  }
}
