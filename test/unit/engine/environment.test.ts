import { afterEach, expect, test, vi } from "vitest";
import { engineEnv } from "../../../jobs/engine/environment.ts";
import { connection } from "../run/fakes.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("the engine sees the connection's paths and none of the shell's secrets", () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "of-somebody-else");
  vi.stubEnv("PULUMI_ACCESS_TOKEN", "of-somebody-else");
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "of-somebody-else");
  vi.stubEnv("KUBECONFIG", "/home/sam/.kube/production");
  const env = engineEnv(connection);
  expect(Object.values(env)).not.toContain("of-somebody-else");
  expect(env).toMatchObject({
    KUBECONFIG: connection.kubeconfig,
    PULUMI_HOME: connection.pulumi.home,
    // Without a second file beside each state, which a killed Pulumi leaves empty.
    PULUMI_BACKEND_URL: `${connection.pulumi.backendUrl}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: connection.pulumi.passphraseFile,
  });
});

test("the connection's tools come first on PATH", () => {
  expect(engineEnv(connection)["PATH"]?.split(":").slice(0, 2)).toEqual(connection.path);
});

test("a state in S3 is addressed as the connection says", () => {
  const backendUrl = "s3://mayfly-state?region=eu-west-1";
  const pulumi = { ...connection.pulumi, backendUrl };
  expect(engineEnv({ ...connection, pulumi })["PULUMI_BACKEND_URL"]).toBe(backendUrl);
});
