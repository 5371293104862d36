import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { childEnv } from "../../../base/process.ts";
import { type Base, findBase } from "../../../review/base.ts";
import { configIn, readStackFile } from "../../../review/stack-file.ts";
import { cachedState, markUsed, prune } from "../../../review/state-cache.ts";

const CONFIG = "config:\n  mayfly:class: production\n";
const LARGER = "config:\n  mayfly:class: development\n";

let root: string;
let project: string;

const git = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example", ...args], {
    cwd: project,
    encoding: "utf8",
    env: childEnv(),
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();

const write = (path: string, text: string): void => {
  writeFileSync(join(project, path), text);
};

const commit = (message: string): string => {
  git("add", "-A");
  git("commit", "-q", "-m", message);
  return git("rev-parse", "--short=7", "HEAD");
};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "mayfly-base-")));
  project = join(root, "project");
  mkdirSync(join(project, "stacks"), { recursive: true });
  write("Pulumi.yaml", "name: mayfly\n");
  write("Pulumi.prod.yaml", CONFIG);
  write("Pulumi.dev.yaml", LARGER);
  write("stacks/index.ts", "export default {};\n");
  write(".gitignore", "node_modules\n");
  vi.stubEnv("XDG_CACHE_HOME", join(root, "cache"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const find = async (against?: string, config?: string): Promise<Base> =>
  await findBase({
    projectDir: project,
    stack: "prod",
    config: config ?? readFileSync(join(project, "Pulumi.prod.yaml"), "utf8"),
    against,
    folder: project,
  });

function program(base: Base): Extract<Base, { kind: "program" }> {
  if (base.kind !== "program") throw new Error(`compared with nothing: ${JSON.stringify(base.comparedWith)}`);
  return base;
}

describe("in a git checkout", () => {
  let first: string;
  beforeEach(() => {
    git("init", "-q", "-b", "main");
    first = commit("first");
  });

  test("nothing differs: everything is shown as created, and it is said why", async () => {
    expect((await find()).comparedWith).toEqual({
      kind: "nothing",
      why: `nothing differs from commit ${first}`,
    });
  });

  test("an edited config is compared with the committed one, and the program here runs both", async () => {
    write("Pulumi.prod.yaml", LARGER);
    const base = program(await find());
    expect(base.comparedWith).toMatchObject({
      kind: "commit",
      commit: first,
      ref: "HEAD",
      programDiffers: false,
      notes: [],
    });
    expect(base.config).toBe(CONFIG);
    expect(await base.projectDir()).toBe(project);
  });

  test("an edited program is compared with the committed one, in a folder of its own with our packages", async () => {
    mkdirSync(join(project, "node_modules"));
    write("node_modules/marker", "installed");
    write("stacks/index.ts", "export default { edited: true };\n");
    const base = program(await find());
    expect(base.comparedWith).toMatchObject({ kind: "commit", programDiffers: true });
    const folder = await base.projectDir();
    expect(folder).not.toBe(project);
    expect(readFileSync(join(folder, "stacks/index.ts"), "utf8")).toBe("export default {};\n");
    expect(readFileSync(join(folder, "node_modules/marker"), "utf8")).toBe("installed");
    // Made once.
    expect(await base.projectDir()).toBe(folder);
  });

  test("a new file of the program counts, one that git ignores does not", async () => {
    write("Pulumi.prod.yaml", LARGER);
    write("stacks/more.ts", "export {};\n");
    expect(program(await find()).comparedWith).toMatchObject({ programDiffers: true });
    write(".gitignore", "stacks/more.ts\n");
    expect(program(await find()).comparedWith).toMatchObject({ programDiffers: false });
  });

  test("other packages than at that commit are said", async () => {
    write("package-lock.json", "{}\n");
    write("Pulumi.prod.yaml", LARGER);
    const { comparedWith } = program(await find());
    expect(comparedWith).toMatchObject({ notes: [expect.stringContaining("package-lock.json differs")] });
  });

  test("a branch stands for where HEAD parted from it, so that others' commits are not undone here", async () => {
    git("checkout", "-q", "-b", "larger-pools");
    write("Pulumi.prod.yaml", LARGER);
    commit("larger");
    git("checkout", "-q", "main");
    write("Pulumi.prod.yaml", "config: {}\n");
    commit("of somebody else");
    git("checkout", "-q", "larger-pools");
    const base = program(await find("main"));
    expect(base.comparedWith).toMatchObject({ commit: first, ref: "main" });
    expect(base.config).toBe(CONFIG);
  });

  test("a stack that the commit doesn't know is compared with nothing", async () => {
    const base = await findBase({
      projectDir: project,
      stack: "staging",
      config: CONFIG,
      against: undefined,
      folder: project,
    });
    expect(base.comparedWith).toEqual({
      kind: "nothing",
      why: `Pulumi.staging.yaml is not in commit ${first}`,
    });
  });

  test("an unknown branch is refused with the nearest one", async () => {
    git("branch", "release");
    await expect(find("relaese")).rejects.toMatchObject({
      code: "no-such-ref",
      exitCode: 66,
      hint: 'Did you mean "release"? Known: "main" and "release". In CI, fetch it first (fetch-depth: 0).',
    });
  });

  test("what looks like an option of git is no ref", async () => {
    await expect(find("--output=/tmp/x")).rejects.toMatchObject({ code: "no-such-ref" });
  });

  test("works in a folder of a larger repository", async () => {
    const inner = join(project, "infra");
    mkdirSync(join(inner, "stacks"), { recursive: true });
    writeFileSync(join(inner, "Pulumi.yaml"), "name: mayfly\n");
    writeFileSync(join(inner, "Pulumi.prod.yaml"), CONFIG);
    writeFileSync(join(inner, "stacks/index.ts"), "export default {};\n");
    commit("moved");
    writeFileSync(join(inner, "stacks/index.ts"), "export default { edited: true };\n");
    project = inner;
    const base = program(await find(undefined, LARGER));
    expect(base.config).toBe(CONFIG);
    const folder = await base.projectDir();
    expect(readFileSync(join(folder, "stacks/index.ts"), "utf8")).toBe("export default {};\n");
  });
});

test("outside of a checkout everything is shown as created, and it is said why", async () => {
  expect((await find()).comparedWith).toEqual({ kind: "nothing", why: "this is not a git checkout" });
  await expect(find("main")).rejects.toMatchObject({ code: "not-a-checkout", exitCode: 66 });
});

test("a config file can be compared with, and one that is not there is refused", async () => {
  const file = join(project, "Pulumi.dev.yaml");
  const base = program(await find(file));
  expect(base.comparedWith).toEqual({ kind: "file", file });
  expect(base.config).toBe(LARGER);
  expect(program(await find("Pulumi.dev.yaml")).comparedWith).toEqual({
    kind: "file",
    file: "Pulumi.dev.yaml",
  });
  await expect(find("missing.yaml")).rejects.toMatchObject({ code: "file-missing", path: "missing.yaml" });
});

test("nothing can be asked for", async () => {
  expect((await find("nothing")).comparedWith).toEqual({ kind: "nothing", why: "asked for" });
});

test("an unknown environment is refused with the nearest one", async () => {
  await expect(readStackFile(project, "prd")).rejects.toMatchObject({
    code: "no-such-stack",
    exitCode: 66,
    hint: 'Did you mean "prod"? Known: "dev" and "prod".',
  });
  await expect(readStackFile(project, "../project/Pulumi.prod")).rejects.toMatchObject({
    code: "no-such-stack",
  });
});

describe("the text of a stack's file", () => {
  test("is checked like the program does it, with the paths of what is wrong", () => {
    expect(() =>
      configIn("config:\n  mayfly:version: 2\n  mayfly:cluster: {kind: eks}\n", "Pulumi.prod.yaml"),
    ).toThrow(/mayfly:class: /);
  });
  test("that is no YAML, or holds no config, is refused with the file's name", () => {
    expect(() => configIn("config: [", "Pulumi.prod.yaml")).toThrow(
      expect.objectContaining({ code: "file-invalid", path: "Pulumi.prod.yaml" }),
    );
    expect(() => configIn("config: text", "Pulumi.prod.yaml")).toThrow(
      expect.objectContaining({ code: "file-invalid" }),
    );
  });
  test("of an older form says how to bring it up to date", () => {
    expect(() => configIn("config:\n  mayfly:cluster: {kind: existing}\n", "Pulumi.lab.yaml")).toThrow(
      expect.objectContaining({ code: "config-outdated" }),
    );
  });
});

test("of a cache that grows, what was not used for longest goes, and nothing of the last hour", async () => {
  const ages = Array.from({ length: 20 }, (_, hours) => hours);
  for (const hours of ages) {
    mkdirSync(join(root, "states", `used-${hours}`), { recursive: true });
    const used = new Date(Date.now() - (hours * 60 + 1) * 60_000);
    utimesSync(join(root, "states", `used-${hours}`), used, used);
  }
  await markUsed(join(root, "states", "used-19"));
  await prune(join(root, "states"));
  const left = [...ages.slice(0, 11), 19].map((hours) => `used-${hours}`);
  expect(readdirSync(join(root, "states")).sort()).toEqual(left.sort());
});

describe("a simulated state", () => {
  const key = { stack: "prod", program: "p1", config: CONFIG };
  const make = async (folder: string): Promise<void> => {
    await Promise.resolve();
    writeFileSync(join(folder, "state.json"), "{}");
  };

  test("is made once for a program and a config", async () => {
    const first = await cachedState(key, make);
    expect(first.made).toBe(true);
    expect(readFileSync(join(first.stateDir, "state.json"), "utf8")).toBe("{}");
    expect(await cachedState(key, make)).toEqual({ stateDir: first.stateDir, made: false });
    for (const other of [{ stack: "dev" }, { program: "p2" }, { config: LARGER }]) {
      expect((await cachedState({ ...key, ...other }, make)).made).toBe(true);
    }
  });

  test("that failed leaves nothing behind", async () => {
    await expect(cachedState(key, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect((await cachedState(key, make)).made).toBe(true);
  });

  test("that two need at once is the same for both", async () => {
    const [left, right] = await Promise.all([cachedState(key, make), cachedState(key, make)]);
    expect(left.stateDir).toBe(right.stateDir);
    expect(readFileSync(join(left.stateDir, "state.json"), "utf8")).toBe("{}");
  });
});
