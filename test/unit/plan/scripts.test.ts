import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { driverScript, masterScript, workerScript } from "../../../jobs/plan/spark/scripts.ts";

// The start scripts of a run's containers under a real bash, in a folder of their own instead of a container's root, with a
// stand-in for java. What real pods add (tini, mounts, Spark itself) is proven in the lab.

let root = "";
let started: ChildProcess[] = [];
let server: Server | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mayfly-scripts-"));
  await mkdir(join(root, "etc/mayfly"), { recursive: true });
  await mkdir(join(root, "var/run/secrets/mayfly/authentication"), { recursive: true });
  await mkdir(join(root, "tmp"));
  for (const role of ["master", "driver", "worker"]) {
    await writeFile(join(root, "etc/mayfly", `${role}.properties`), "spark.authenticate=true\n");
  }
  await writeFile(join(root, "var/run/secrets/mayfly/authentication/secret"), "0123abcd");
});

afterEach(async () => {
  for (const child of started) child.kill("SIGKILL");
  started = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (server === undefined) resolve(undefined);
  else {
    server.close(() => {
      resolve(undefined);
    });
  }
  await promise;
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

/** Listens where the scripts expect the master. */
const listen = async (): Promise<number> =>
  await new Promise((resolve) => {
    server = createServer((socket) => socket.destroy());
    server.listen(0, "127.0.0.1", () => {
      const address = server?.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });

interface Result {
  readonly code: number | null;
  readonly output: string;
}

/** Starts a script with `java` as what java's arguments run; its paths lead into `root`, the master is at `port`. */
async function start(script: string, java: string, port: number) {
  const inRoot = script
    .replaceAll(/\/(etc\/mayfly|var\/run\/secrets|scratch|tmp)\b/g, (path) => root + path)
    // In a container there are no processes but its own.
    .replaceAll("/proc/[0-9]*/cmdline", join(root, "no-processes"))
    .replaceAll("coordinator 7077", `127.0.0.1 ${port}`)
    .replaceAll('"$POD_IP" 7077', `127.0.0.1 ${port}`);
  await writeFile(join(root, "script.sh"), inRoot);
  await writeFile(join(root, "java"), `#!/bin/bash\n${java}\n`);
  await chmod(join(root, "java"), 0o755);
  const child = spawn("/bin/bash", [join(root, "script.sh"), join(root, "java"), "one argument", "$(two)"], {
    env: { PATH: process.env["PATH"] },
  });
  started.push(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Result>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, output });
    });
  });
  const until = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (child.exitCode !== null) throw new Error(`ended without ${text}: ${output}`);
    }
  };
  return { child, ended, until, seen: () => output };
}

describe.each([
  { role: "driver", script: driverScript(20) },
  { role: "worker", script: workerScript(20) },
])("the $role's start script", ({ role, script }) => {
  it("hands over the arguments as they are and ends with java's exit code", async () => {
    const { ended } = await start(script, 'printf "<%s>" "$@"; exit 7', await listen());
    const { code, output } = await ended;
    expect(code).toBe(7);
    expect(output).toContain("<one argument><$(two)>");
  });

  it("passes SIGTERM on, also to a java that takes its time to end, and ends with its code", async () => {
    const { child, ended, until } = await start(
      script,
      "trap 'sleep 0.5; echo bye; exit 143' TERM; echo ready; while :; do sleep 0.1; done",
      await listen(),
    );
    await until("ready");
    child.kill("SIGTERM");
    const { code, output } = await ended;
    expect(output).toContain("bye");
    expect(code).toBe(143);
  });

  it("gives java a head start, holds it while the master is not there, and lets it go on then", async () => {
    const port = await listen();
    server?.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { ended, until, seen } = await start(
      script,
      "echo begun; while read -ra stat </proc/$$/stat && ((stat[13] + stat[14] < 150)); do :; done; echo over",
      port,
    );
    await until("begun");
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(seen()).not.toContain("over");
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server?.listen(port, "127.0.0.1", resolve));
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output.trim()).toMatch(/over$/);
  }, 60_000);

  it("gives up when the master never comes", async () => {
    const port = await listen();
    server?.close();
    const short = role === "driver" ? driverScript(1) : workerScript(1);
    const { code, output } = await (await start(short, "exec sleep 60", port)).ended;
    expect(code).toBe(1);
    expect(output).toContain(`nothing listens on 127.0.0.1 ${port} after 1 s`);
  });

  it("does not wait for the master when java has ended", async () => {
    const port = await listen();
    server?.close();
    const { code } = await (await start(script, "echo broken >&2; exit 3", port)).ended;
    expect(code).toBe(3);
  });

  it("puts the run's secret into a file for itself alone", async () => {
    const { ended } = await start(script, "true", await listen());
    await ended;
    const file = join(root, "tmp", `${role}.properties`);
    expect(await readFile(file, "utf8")).toBe(
      "spark.authenticate=true\nspark.authenticate.secret=0123abcd\n",
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("the master's start script", () => {
  it("puts settings and secret together and becomes java", async () => {
    const { ended } = await start(masterScript(), "echo $$; exit 5", 0);
    const { code } = await ended;
    expect(code).toBe(5);
    expect(await readFile(join(root, "tmp/master.properties"), "utf8")).toContain(
      "spark.authenticate.secret=0123abcd",
    );
  });
});

describe("the worker's start script", () => {
  it("copies what executors print, without the worker's own first lines", async () => {
    const java = `mkdir -p ${root}/scratch/work/app-1/0; printf 'Spark Executor Command: x\\n====\\n\\nfrom stderr\\n' >${root}/scratch/work/app-1/0/stderr; echo from stdout >${root}/scratch/work/app-1/0/stdout; sleep 2`;
    const { output } = await (await start(workerScript(20), java, await listen())).ended;
    expect(output).toContain("from stderr");
    expect(output).toContain("from stdout");
    expect(output).not.toContain("Spark Executor Command");
  });
});
