import { describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import { allocatableOf } from "../../../stacks/environment/allocatable.ts";

const from = { from: "node", node: "ip-10-0-3-17", reserve: {} } as const;
const room = (node: Readonly<Record<string, string>>) =>
  allocatableOf(from, new Map([["ip-10-0-3-17", node]]), "mayfly:pools[2].allocatable");

describe("what a node offers", () => {
  test.each([
    [
      "a kubelet on AWS",
      { cpu: "15890m", memory: "60632140Ki", "ephemeral-storage": "95551679124", pods: "58" },
      { cpu: 15_890, memory: 59_211, scratch: 91_125, pods: 58 },
    ],
    [
      "a kubelet that reports whole units",
      { cpu: "4", memory: "16Gi", "ephemeral-storage": "100G", pods: "110" },
      { cpu: 4000, memory: 16_384, scratch: 95_367, pods: 110 },
    ],
  ])("is read from %s", (_who, node, expected) => {
    expect(room(node)).toEqual(expected);
  });

  test("is refused where nothing of it is left, with the config path and the command to look", () => {
    const mistake = (): unknown => {
      try {
        return room({ cpu: "4", memory: "0", "ephemeral-storage": "100G", pods: "110" });
      } catch (error) {
        return error;
      }
    };
    expect(mistake()).toBeInstanceOf(UserError);
    expect(mistake()).toMatchObject({
      code: "node-too-small",
      message: "Node ip-10-0-3-17 has no memory for runs.",
      path: "mayfly:pools[2].allocatable.reserve",
    });
  });

  test("is refused where the node did not say", () => {
    expect(() => room({})).toThrow("has no cpu for runs");
  });
});
