import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { openS3 } from "../../../base/s3.ts";
import { storeErrorKind } from "../../../jobs/store/errors.ts";

test("a store that takes requests and never answers is away, after three tries", async () => {
  let asked = 0;
  const server = createServer(() => {
    asked += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const folder = await mkdtemp(join(tmpdir(), "mayfly-s3-test-"));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const credentialsFile = join(folder, "credentials");
  await writeFile(credentialsFile, "[mayfly]\naws_access_key_id = key\naws_secret_access_key = secret\n");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const endpoint = `http://127.0.0.1:${address.port}`;
  const client = await openS3(
    { endpoint, region: "us-east-1", pathStyle: true, credentialsFile, profile: "mayfly" },
    100,
  );
  const error: unknown = await client
    .send(new HeadObjectCommand({ Bucket: "demo-code", Key: "pi.py" }))
    .catch((reason: unknown) => reason);
  expect(storeErrorKind(error)).toBe("unreachable");
  expect(asked).toBe(3);
  client.destroy();
});
