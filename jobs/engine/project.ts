/** The Pulumi project that all job stacks belong to: stacks/job. */
export const PROJECT = "mayfly-job";
