import { describe, expect, test } from "vitest";
import { makeEventLogFolder } from "../../../jobs/run/preflight.ts";
import { samplePlans } from "../../harness/samples.ts";

describe("the event log's folder", () => {
  const put = async (eventLog: string | undefined): Promise<string[]> => {
    const urls: string[] = [];
    const output = { locations: [], ...(eventLog === undefined ? {} : { eventLog }) };
    await makeEventLogFolder(
      { ...samplePlans().pi, output },
      {
        put: (url) => {
          urls.push(url);
          return Promise.resolve();
        },
      },
    );
    return urls;
  };

  test("is an empty object whose name ends with one slash, however the spec writes it", async () => {
    expect(await put("s3://acme-logs/history")).toEqual(["s3://acme-logs/history/"]);
    expect(await put("s3://acme-logs/history//")).toEqual(["s3://acme-logs/history/"]);
  });

  test("is not made for a job without an event log", async () => {
    expect(await put(undefined)).toEqual([]);
  });
});
