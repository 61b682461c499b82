// A worker that takes a job, says so, and never ends it: for a test to kill. Words: the folder of the packages, port, queue.
// It does not outlive who started it.
const { createRequire } = require("node:module");
const [modules, port, queue] = process.argv.slice(2);
const { Worker } = createRequire(modules + "/")("bullmq");

new Worker(queue, () => {
	console.log("taken");
	return new Promise(() => {});
}, { connection: { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null }, lockDuration: 1000, stalledInterval: 100, maxStalledCount: 5 });
process.stdin.on("end", () => process.exit()).resume();
