import { expect, test } from "vitest";
import { retryAfterAnswer, retryAfterError } from "../../../lab/kubernetes-plugin/retry.ts";

test.each([
  [429, "3", 3],
  [500, "0", 0],
  [503, "10", 10],
  [429, undefined, undefined],
  [503, undefined, undefined],
  [503, "Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  [404, "1", undefined],
  [409, "1", undefined],
])("an answer %d with Retry-After %s is tried again after %s seconds", (status, header, seconds) => {
  expect(retryAfterAnswer(status, header)).toBe(seconds);
});

test.each([
  ["GET", "ECONNRESET", 1],
  ["GET", "EPIPE", 1],
  ["GET", "ECONNREFUSED", undefined],
  ["GET", "CERT_HAS_EXPIRED", undefined],
  ["POST", "ECONNRESET", undefined],
  ["DELETE", "ECONNRESET", undefined],
])("a %s that ended with %s is tried again after %s seconds", (method, code, seconds) => {
  expect(retryAfterError(method, code)).toBe(seconds);
});
