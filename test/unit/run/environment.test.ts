import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EXIT } from "../../../base/errors.ts";
import {
  environmentRemarks,
  findConnection,
  readConnection,
  readContract,
} from "../../../jobs/run/environment.ts";
import { environment } from "../plan/sample.ts";
import { connection } from "./fakes.ts";

let folder: string;
const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-environment-"));
  vi.stubEnv("XDG_STATE_HOME", folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe("what is said of an environment on each use", () => {
  const official = { ...connection, pulumi: { ...connection.pulumi, kubernetesPlugin: "official" as const } };
  const fenced = { ...environment(), fence: { policies: ["mayfly-lab-fence-objects"] } };

  test("is nothing where the official plugin is used and stale helpers are fenced off", () => {
    expect(environmentRemarks({ connection: official, contract: fenced })).toEqual([]);
  });

  test("names a stand-in plugin, and a contract that knows no fence", () => {
    expect(environmentRemarks({ connection, contract: environment() })).toEqual([
      expect.stringContaining("stand-in provider plugin"),
      expect.stringContaining("lost its lease"),
    ]);
  });
});

describe("which environment a command talks to", () => {
  test("the named one goes before MAYFLY_CONNECTION", async () => {
    const [mine, other] = [await file("mine.json", connection), await file("other.json", connection)];
    vi.stubEnv("MAYFLY_CONNECTION", other);
    expect(await findConnection(mine)).toBe(mine);
    expect(await findConnection(undefined)).toBe(other);
  });

  test("without any, the hint is the command that makes one", async () => {
    vi.stubEnv("MAYFLY_CONNECTION", undefined);
    await expect(findConnection(undefined)).rejects.toMatchObject({
      code: "no-environment",
      exitCode: EXIT.unavailable,
      hint: expect.stringContaining("npx mayfly lab up") as string,
    });
  });
});

describe("what a connection and a contract must be", () => {
  test("valid ones are read", async () => {
    expect(await readConnection(await file("connection.json", connection))).toEqual(connection);
    expect((await readContract(await file("contract.json", environment()))).name).toBe("staging");
  });

  test.each([
    ["an older", "mayfly.dev/environment/v1", "Bring the environment up again"],
    ["a newer", "mayfly.dev/environment/v3", "Update Mayfly"],
    ["an unheard-of", "acme.example/environment", "Use the Mayfly"],
  ])("%s version of the contract is refused with what to do", async (_which, apiVersion, hint) => {
    const path = await file("contract.json", { ...environment(), apiVersion });
    await expect(readContract(path)).rejects.toMatchObject({
      code: "contract-version",
      message: expect.stringContaining(apiVersion) as string,
      hint: expect.stringContaining(hint) as string,
    });
  });

  test("all that is wrong in a file is named", async () => {
    const path = await file("connection.json", { ...connection, name: "", kubeconfig: 7 });
    const error: unknown = await readConnection(path).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "connection-invalid", path });
    expect(String(error)).toMatch(/name[\s\S]*kubeconfig|kubeconfig[\s\S]*name/);
  });

  test("half a file is no bug of ours", async () => {
    await expect(readContract(await file("contract.json", "{"))).rejects.toMatchObject({
      code: "contract-invalid",
    });
  });
});
