// `npm run test:flink`: what needs Flink clusters, on the real lab: the tests of vitest's project `flink`, and then every fault of a stream's
// life, with a table of what held.
throw new Error("not built yet");
