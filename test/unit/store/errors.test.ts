import { describe, expect, test } from "vitest";
import { EXIT } from "../../../base/errors.ts";
import { storeError, storeErrorKind } from "../../../jobs/store/errors.ts";
import { parseUrl } from "../../../jobs/store/index.ts";

const address = {
  endpoint: "http://10.244.0.1:7070",
  credentialsFile: "/srv/credentials",
  profile: "mayfly",
};
const named = (name: string, status?: number): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

describe("what the S3 SDK throws has a kind", () => {
  test.each([
    [named("NotFound", 404), "missing"],
    [named("NoSuchBucket", 404), "missing"],
    // A HEAD has no body: only the status tells.
    [named("Unknown", 404), "missing"],
    [named("Unknown", 403), "denied"],
    [named("InvalidAccessKeyId", 403), "denied"],
    [named("CredentialsProviderError"), "denied"],
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "unreachable"],
    [named("TimeoutError"), "unreachable"],
    [named("InternalError", 500), "other"],
    ["a text", "other"],
  ])("%s", (error, kind) => {
    expect(storeErrorKind(error)).toBe(kind);
  });
});

describe("for people", () => {
  test("refused credentials name the profile and its file, never a key", () => {
    const error = storeError("s3://demo-code/app.py", address, named("AccessDenied", 403));
    expect(error).toMatchObject({ code: "s3-denied", exitCode: EXIT.denied, path: "s3://demo-code/app.py" });
    expect(error.message).toContain("profile mayfly (/srv/credentials)");
  });

  test("a store that is away names its endpoint", () => {
    const error = storeError("s3://demo-code/app.py", address, named("TimeoutError"));
    expect(error).toMatchObject({ code: "s3-unreachable", exitCode: EXIT.unreachable });
    expect(error.message).toContain(address.endpoint);
  });
});

test.each([
  ["s3://demo-code/jobs/app.py", { bucket: "demo-code", key: "jobs/app.py" }],
  ["s3://demo-code/a b/ü?.py", { bucket: "demo-code", key: "a b/ü?.py" }],
  ["s3://demo-code", { bucket: "demo-code", key: "" }],
])("%s in its parts", (url, parts) => {
  expect(parseUrl(url)).toEqual(parts);
});
