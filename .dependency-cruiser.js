// The arrows of design.md: schema -> components -> stacks -> jobs, each folder imports only what stands left of it.
// `base` holds what every folder may use (errors, paths, child processes) and imports nothing of ours.
const layer = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from },
  to: {
    path: "^(base|knowledge|schema|components|stacks|jobs|images|lab|policy|simulation|review|scripts|test)/",
    pathNot: allowed,
  },
});

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-dev-dependencies-in-product",
      severity: "error",
      from: { path: "^(base|knowledge|schema|components|stacks|jobs|images|lab|policy|simulation|review)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    layer("base-imports-nothing-of-ours", "^base/", "^base/"),
    layer("knowledge-is-pure", "^knowledge/", "^(knowledge|base/(errors|nearest))"),
    {
      name: "knowledge-does-no-io",
      severity: "error",
      from: { path: "^knowledge/" },
      to: { dependencyTypes: ["npm", "core"] },
    },
    layer("schema-imports-only-schema", "^schema/", "^schema/"),
    {
      name: "schema-needs-only-zod",
      severity: "error",
      from: { path: "^schema/" },
      to: { dependencyTypes: ["npm", "core"], pathNot: "node_modules/zod/" },
    },
    layer("components-import-schema-types-only", "^components/", "^components/|^schema/"),
    {
      name: "components-have-no-zod-at-run-time",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^schema/|node_modules/zod/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "components-do-no-io",
      severity: "error",
      from: { path: "^components/" },
      to: { dependencyTypes: ["core"], path: "^(fs|child_process|net|http|https|os|process)" },
    },
    layer("stacks-import-components-and-schema", "^stacks/", "^(stacks|components|schema|knowledge|base)/"),
    layer(
      "jobs-use-stacks-and-lab-commands",
      "^jobs/",
      "^(jobs|stacks|schema|knowledge|base|lab|images|policy)/",
    ),
    {
      name: "only-the-cli-knows-the-lab",
      severity: "error",
      from: { path: "^jobs/", pathNot: "^jobs/cli/" },
      to: { path: "^(lab|images)/" },
    },
    layer("plan-is-pure", "^jobs/plan/", "^(jobs/plan|schema|knowledge|base/(errors|nearest))"),
    {
      name: "plan-does-no-io",
      severity: "error",
      from: { path: "^jobs/plan/" },
      to: { dependencyTypes: ["npm", "core"], pathNot: "node_modules/zod/|^(crypto)$" },
    },
    {
      name: "only-engine-knows-the-automation-api",
      severity: "error",
      from: { path: "^jobs/", pathNot: "^jobs/engine/" },
      to: { path: "node_modules/@pulumi/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "only-watch-and-engine-know-kubernetes",
      severity: "error",
      from: { path: "^jobs/", pathNot: "^jobs/(engine|watch)/" },
      to: { path: "node_modules/@kubernetes/client-node/", dependencyTypesNot: ["type-only"] },
    },
    layer("ledger-knows-no-other-part-of-jobs", "^jobs/ledger/", "^(jobs/ledger|schema|base)/"),
    {
      name: "only-the-ledger-knows-databases",
      severity: "error",
      from: { path: "^(jobs|stacks|lab|review|simulation|policy|images)/", pathNot: "^jobs/ledger/" },
      to: { path: "node_modules/(kysely|pg|@types/pg)/|^(node:)?sqlite$" },
    },
    layer("lab-imports-no-jobs", "^lab/", "^(lab|images|schema|base)/"),
    layer("policy-imports-only-base", "^policy/", "^(policy|base)/"),
    layer("simulation-imports-tools-only", "^simulation/", "^(simulation|lab/tools|schema|knowledge|base)/"),
    layer(
      "review-stands-on-the-simulation",
      "^review/",
      "^(review|simulation|stacks|schema|knowledge|base|policy|lab/tools)/",
    ),
    layer("images-import-only-base", "^images/", "^(images|base|schema)/"),
    {
      name: "product-imports-no-tests",
      severity: "error",
      from: { pathNot: "^(test|scripts)/" },
      to: { path: "^test/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};
