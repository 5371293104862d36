import { describe, expect, test } from "vitest";
import { fixedParts } from "../../../review/fixed-parts.ts";
import { readableMessage } from "../../../review/messages.ts";
import { protectionErrors } from "../../../review/protection.ts";
import { UNKNOWN } from "../../../simulation/types.ts";
import { stepOf } from "./sample.ts";

describe("fixed parts", () => {
  const endpoint = (name: string, type: string, subnets: number) =>
    stepOf({
      type: "aws:ec2/vpcEndpoint:VpcEndpoint",
      name,
      op: "create",
      newInputs: { vpcEndpointType: type, subnetIds: Array.from({ length: subnets }, () => UNKNOWN) },
    });

  test("count interface endpoints once for each zone, and gateway endpoints not at all", () => {
    const steps = [
      endpoint("sts", "Interface", 3),
      endpoint("ec2", "Interface", 3),
      endpoint("s3", "Gateway", 0),
    ];
    expect(fixedParts(steps, "now").interfaceEndpoints).toBe(6);
    expect(fixedParts(steps, "before").interfaceEndpoints).toBe(0);
  });

  test("tell both sides of a change apart", () => {
    const nat = (name: string, op: "create" | "delete" | "same" | "replace") =>
      stepOf({ type: "aws:ec2/natGateway:NatGateway", name, op });
    const steps = [
      nat("a", "same"),
      nat("b", "delete"),
      nat("c", "delete"),
      nat("d", "replace"),
      nat("e", "create"),
    ];
    expect(fixedParts(steps, "before").natGateways).toBe(4);
    expect(fixedParts(steps, "now").natGateways).toBe(3);
  });
});

describe("errors of the engine", () => {
  const key = "urn:pulumi:prod::mayfly::mayfly:cluster:EncryptionKey$aws:kms/key:Key::key-key";

  test("that are refusals by protection are told apart from others", () => {
    expect(
      protectionErrors([
        `Preview failed: resource "${key}" cannot be deleted\nbecause it is protected. To unprotect the resource, either`,
        "unknown zone",
        "preview failed",
      ]),
    ).toEqual({ urns: [key], others: ["unknown zone"] });
  });

  test("are never all dropped", () => {
    expect(protectionErrors(["preview failed"])).toEqual({ urns: [], others: ["preview failed"] });
    expect(protectionErrors(["preview failed"], true)).toEqual({ urns: [], others: [] });
  });

  test("are cut to what matters of a rejected output", () => {
    const message = `Running program failed:\n${'error serializing property "role": '.repeat(300)}no provider\n    at new Resource (/acme/node_modules/@pulumi/resource.ts:605:13)\n    at eksFoundation (/acme/stacks/eks.ts:54:19) {\n  promise: Promise { <rejected> [Circular *1] }\n}`;
    expect(readableMessage(message)).toBe(
      "Running program failed:\nno provider\n    at eksFoundation (/acme/stacks/eks.ts:54:19) {",
    );
  });

  test("of many lines are cut", () => {
    const text = readableMessage(Array.from({ length: 50 }, (_, index) => `line ${index}`).join("\n"));
    expect(text.split("\n")).toHaveLength(13);
    expect(text.endsWith("\n…")).toBe(true);
  });
});
