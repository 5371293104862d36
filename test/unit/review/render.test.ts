import { describe, expect, test } from "vitest";
import { renderJson } from "../../../review/json.ts";
import { renderMarkdown } from "../../../review/markdown.ts";
import { renderTerminal } from "../../../review/terminal.ts";
import { aroundSteps, NOTICE, poolSteps, resultOf, retyping, reviewOf, scaling, stepOf } from "./sample.ts";

const review = reviewOf([
  ...aroundSteps("same"),
  ...poolSteps("general", "update", scaling(10, 20)),
  ...poolSteps("memory", "replace", retyping("r7g.4xlarge", "r8g.4xlarge")),
  ...poolSteps("compute", "create"),
  ...poolSteps("shuffle", "create"),
]);
const plain = (of = review): string => renderTerminal(of, { colour: false, width: 100 });

describe("the text for a terminal", () => {
  test("has its parts in the order in which a reviewer needs them, and the summary as its last line", () => {
    const lines = plain().split("\n");
    expect(lines[0]).toBe("Review of prod");
    expect(lines[1]).toBe("Compared with: Pulumi.prod.yaml at commit abc1234 (HEAD)");
    expect(lines[2]).toBe(NOTICE);
    expect(lines.filter((line) => /^[A-Z][\w ]+$/.test(line))).toEqual([
      "Review of prod",
      "What needs attention",
      "Changes by component",
      "By kind",
      "Costs a month",
      "Policies",
      "What a simulation does not prove",
    ]);
    expect(lines.at(-1)).toMatch(
      /^prod: 4 replaced, 3 updated, 14 created; 32 of at most 250 resources; costs unchanged; /,
    );
    expect(lines.at(-1)).toMatch(/cloud side simulated$/);
  });

  test("shows what changes in a component, replacements first and equal pools once", () => {
    expect(plain().split("Changes by component\n")[1]?.split("\n\n")[0]).toBe(`  pool-memory (NodePool)
    +- 3 aws.eks.NodeGroup pool-memory-eu-central-1{a,b,c}
        instanceTypes[0]: r7g.4xlarge → r8g.4xlarge (forces the replacement)
  pool-general (NodePool)
    ~  3 aws.eks.NodeGroup pool-general-eu-central-1{a,b,c}
        scalingConfig.maxSize: 10 → 20
  2 × NodePool
    pool-compute, pool-shuffle
    +  each: 3 LaunchTemplate, 3 NodeGroup`);
  });

  test("has colour only where it was asked for, and keeps to the width", () => {
    expect(plain()).not.toContain("\u001b");
    expect(renderTerminal(review, { colour: true, width: 100 })).toContain("\u001b[");
    expect(
      plain()
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.length > 100),
    ).toEqual([]);
  });

  test("passes on no escape sequences of programs and plugins", () => {
    const diagnostics = [
      { severity: "error" as const, message: "bad \u001b]0;title\u0007 name", urn: undefined },
    ];
    expect(plain(reviewOf([], { result: resultOf([], { succeeded: false, diagnostics }) }))).not.toContain(
      "\u001b",
    );
  });
});

describe("the Markdown for a pull request", () => {
  const text = renderMarkdown(review);

  test("says at its head what happens, with what it was compared and that the cloud is simulated", () => {
    expect(text.split("\n").slice(0, 5)).toEqual([
      "## Review of `prod`: 4 replaced, 3 updated, 14 created",
      "",
      "Compared with: Pulumi.prod.yaml at commit abc1234 (HEAD)",
      "",
      `> **${NOTICE}**`,
    ]);
  });

  test("shows properties with both values", () => {
    expect(text).toContain("    - `scalingConfig.maxSize`: `10` → `20`\n");
    expect(text).toContain(
      "    - `instanceTypes[0]`: `r7g.4xlarge` → `r8g.4xlarge`, **forces the replacement**\n",
    );
  });

  test("lets no name become HTML or a mark", () => {
    const bucket = stepOf({ type: "aws:s3/bucket:Bucket", name: "<b>_x_</b>|y", op: "delete" });
    const attention = renderMarkdown(reviewOf([bucket])).split("### Changes")[0];
    expect(attention).toContain("&lt;b>\\_x\\_&lt;/b>\\|y");
  });

  test("says where there was nothing to compare with", () => {
    const whole = renderMarkdown(
      reviewOf(poolSteps("general", "create"), {
        comparedWith: { kind: "nothing", why: "this is not a git checkout" },
        before: undefined,
      }),
    );
    expect(whole).toContain(
      "Compared with: nothing, as for the first pulumi up (this is not a git checkout)",
    );
    expect(whole).toContain("  - create 3 `LaunchTemplate`, 3 `NodeGroup`\n");
  });
});

test("the JSON is one document with a version, in which each changed resource has its URN", () => {
  const document: unknown = JSON.parse(renderJson(review));
  expect(document).toMatchObject({
    apiVersion: "mayfly.dev/review/v1",
    environment: "prod",
    notice: NOTICE,
    totals: { resources: 32, limit: 250 },
  });
  expect(renderJson(review)).toContain(
    '"urn":"urn:pulumi:prod::mayfly::aws:eks/nodeGroup:NodeGroup::pool-general-eu-central-1a"',
  );
});

test("types that are only echoed are named on both", () => {
  const echoed = reviewOf([], { result: resultOf([], { unmodelled: ["aws:sqs/queue:Queue"] }) });
  expect(renderMarkdown(echoed)).toContain("nobody modelled them: aws:sqs/queue:Queue");
  expect(plain(echoed)).toContain("nobody modelled them: aws:sqs/queue:Queue");
});
