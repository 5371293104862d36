import { AWS_EXAMPLES } from "./aws.ts";
import type { Example } from "./builders.ts";
import { IAM_EXAMPLES } from "./iam.ts";
import { MARKS_EXAMPLES } from "./marks.ts";
import { POD_EXAMPLES } from "./pods.ts";
import { STACK_EXAMPLES } from "./stack.ts";

/** Examples of every rule. */
export const EXAMPLES: readonly Example[] = [
  ...AWS_EXAMPLES,
  ...IAM_EXAMPLES,
  ...STACK_EXAMPLES,
  ...POD_EXAMPLES,
  ...MARKS_EXAMPLES,
];
