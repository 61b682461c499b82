// BullMQ: its queues are Lua scripts, streams, sorted sets and blocked workers all at once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connection, load, promised, run, test, until } from "./harness.mjs";

const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = load("bullmq");
let queues = 0;

// A queue of its own for a case: the queue, its events, and work(body, options), which starts a worker.
async function begin(keep) {
	const name = `queue${++queues}`;
	const queue = keep(new Queue(name, { connection }));
	const events = keep(new QueueEvents(name, { connection, lastEventId: "0-0" }));
	await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
	const work = (body, options = {}) => {
		const worker = keep(new Worker(name, body, { connection, drainDelay: 1, ...options }));
		worker.on("error", () => {});
		return worker;
	};
	return { name, queue, events, work };
}

test("jobs are done once each, and their results come back", async (keep) => {
	const { queue, events, work } = await begin(keep);
	let done = 0;
	work(async (job) => (done++, { twice: job.data.n * 2, text: job.data.text }), { concurrency: 10 });
	const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: "double", data: { n, text: "ä\u0000" } })));
	const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
	assert.deepEqual(results, jobs.map((_, n) => ({ twice: 2 * n, text: "ä\u0000" })));
	assert.equal(done, 200);
	assert.deepEqual(await queue.getJobCounts("completed", "failed", "waiting", "active"), { completed: 200, failed: 0, waiting: 0, paused: 0, active: 0 });
	assert.equal(await (await queue.getJob(jobs[7].id)).getState(), "completed");
});

test("a delayed job waits for its time, and wakes a worker that is blocked", async (keep) => {
	const { queue, events, work } = await begin(keep);
	work(async () => Date.now());
	const late = await queue.add("late", {}, { delay: 400 });
	const soon = await queue.add("soon", {}, { delay: 150 });
	assert.equal(await late.getState(), "delayed");
	const [l, s] = await Promise.all([late.waitUntilFinished(events), soon.waitUntilFinished(events)]);
	assert.ok(l >= late.timestamp + 400 && s >= soon.timestamp + 150 && s <= l);
});

test("a job that is delayed by far can be promoted", async (keep) => {
	const { queue, events, work } = await begin(keep);
	work(async () => "done");
	const job = await queue.add("far", {}, { delay: 1e8 });
	await job.promote();
	assert.equal(await job.waitUntilFinished(events), "done");
});

test("jobs go by priority, and by age within one", async (keep) => {
	const { queue, work } = await begin(keep);
	for (const [name, priority] of [["c1", 30], ["b1", 20], ["a1", 10], ["b2", 20], ["none", 0], ["a2", 10]])
		await queue.add(name, {}, { priority });
	await queue.add("first", {}, { lifo: true });
	assert.deepEqual(await queue.getCountsPerPriority([0, 10, 20, 30]), { 0: 2, 10: 2, 20: 2, 30: 1 });
	const order = [];
	work(async (job) => void order.push(job.name));
	await until(() => order.length === 7);
	assert.deepEqual(order, ["first", "none", "a1", "a2", "b1", "b2", "c1"]);
});

test("a failing job is tried again after growing pauses, until it may not be", async (keep) => {
	const { queue, events, work } = await begin(keep);
	const times = [];
	work(async (job) => {
		if (job.name === "never")
			throw new UnrecoverableError("not at all");
		times.push(Date.now());
		if (job.name === "always" || job.attemptsMade < 2)
			throw new Error(`try ${job.attemptsMade}`);
		return "at last";
	});
	const job = await queue.add("some", {}, { attempts: 3, backoff: { type: "exponential", delay: 50 } });
	assert.equal(await job.waitUntilFinished(events), "at last");
	assert.equal(times.length, 3);
	assert.ok(times[1] - times[0] >= 50 && times[2] - times[1] >= 100);
	const always = await queue.add("always", {}, { attempts: 2, backoff: { type: "fixed", delay: 10 } });
	await assert.rejects(always.waitUntilFinished(events), /try 1/);
	const never = await queue.add("never", {}, { attempts: 5 });
	await assert.rejects(never.waitUntilFinished(events), /not at all/);
	const failed = await queue.getFailed();
	assert.deepEqual(failed.map((j) => [j.name, j.attemptsMade]), [["never", 1], ["always", 2]]);
	await queue.remove(never.id);
	assert.equal(await queue.getFailedCount(), 1);
});

test("a parent waits for its children and is given their results", async (keep) => {
	const { name, queue, events, work } = await begin(keep);
	const flow = keep(new FlowProducer({ connection }));
	const tree = await flow.add({ name: "parent", queueName: name, children: [
		{ name: "leaf", queueName: name, data: { n: 1 } },
		{ name: "middle", queueName: name, children: [{ name: "leaf", queueName: name, data: { n: 2 } }, { name: "leaf", queueName: name, data: { n: 3 } }] }] });
	assert.equal(await tree.job.getState(), "waiting-children");
	assert.equal(await queue.getWaitingChildrenCount(), 2);
	work(async (job) => job.name === "leaf" ? job.data.n : Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0), { concurrency: 3 });
	assert.equal(await tree.job.waitUntilFinished(events), 6);
	const { processed } = await tree.job.getDependencies();
	assert.equal(Object.keys(processed).length, 2);
});

test("a limited queue starts no more jobs than its rate", async (keep) => {
	const { queue, work } = await begin(keep);
	const times = [];
	await queue.addBulk(Array.from({ length: 7 }, () => ({ name: "j", data: {} })));
	work(async () => void times.push(Date.now()), { limiter: { max: 2, duration: 200 }, concurrency: 5 });
	await until(() => times.length === 7);
	assert.ok(times[6] - times[0] >= 300, `took ${times[6] - times[0]} ms`);
});

test("a scheduler makes a job again and again, until it is removed", async (keep) => {
	const { queue, work } = await begin(keep);
	const times = [];
	work(async (job) => void times.push(job.data.from));
	await queue.upsertJobScheduler("tick", { every: 60 }, { name: "tick", data: { from: "scheduler" } });
	await until(() => times.length >= 4);
	assert.deepEqual((await queue.getJobSchedulers()).map((s) => [s.key, Number(s.every)]), [["tick", 60]]);
	assert.equal(await queue.removeJobScheduler("tick"), true);
	assert.equal((await queue.getJobSchedulers()).length, 0);
	await queue.add("old", { from: "repeat" }, { repeat: { every: 50, limit: 2 } });
	await until(() => times.filter((t) => t === "repeat").length === 2);
});

test("the job of a killed worker is done by another", async (keep) => {
	const { name, queue, events, work } = await begin(keep);
	const victim = keep(spawn(process.execPath, [fileURLToPath(new URL("bullmq_victim.cjs", import.meta.url)), process.env.CLIENTS_MODULES, String(connection.port), name],
		{ stdio: ["pipe", "pipe", "inherit"] }));
	const job = await queue.add("j", {});
	await new Promise((resolve) => victim.stdout.once("data", resolve));
	assert.equal(await job.getState(), "active");
	victim.kill("SIGKILL");
	const stalled = promised();
	events.on("stalled", ({ jobId }) => stalled.resolve(jobId));
	work(async () => "by another", { lockDuration: 1000, stalledInterval: 100, maxStalledCount: 5 });
	assert.equal(await job.waitUntilFinished(events), "by another");
	assert.equal(await stalled.done, job.id);
});

test("events tell what became of a job, in its order", async (keep) => {
	const { queue, events, work } = await begin(keep);
	const seen = [];
	for (const what of ["added", "waiting", "active", "progress", "completed"])
		events.on(what, ({ jobId }) => seen.push([what, jobId]));
	const done = promised();
	events.on("completed", ({ returnvalue }) => done.resolve(returnvalue));
	const progress = promised();
	events.on("progress", ({ data }) => progress.resolve(data));
	work(async (job) => {
		await job.updateProgress({ step: 1 });
		await job.log("a line");
		return [1, null];
	});
	const { id } = await queue.add("j", {});
	assert.deepEqual(await done.done, [1, null]);
	assert.deepEqual(await progress.done, { step: 1 });
	assert.deepEqual(seen, ["added", "waiting", "active", "progress", "completed"].map((what) => [what, id]));
	const kept = await queue.getJob(id);
	assert.deepEqual([kept.progress, (await queue.getJobLogs(id)).logs], [{ step: 1 }, ["a line"]]);
});

test("done jobs are removed as their options say", async (keep) => {
	const { queue, events, work } = await begin(keep);
	work(async () => "done");
	const gone = await queue.add("gone", {}, { removeOnComplete: true });
	await gone.waitUntilFinished(events);
	assert.equal(await queue.getJob(gone.id), undefined);
	for (let i = 0; i < 8; i++)
		await (await queue.add("few", {}, { removeOnComplete: { count: 3 } })).waitUntilFinished(events);
	assert.equal(await queue.getCompletedCount(), 3);
	assert.equal((await queue.clean(0, 100, "completed")).length, 3);
});

test("a paused queue keeps its jobs, a drained or obliterated one none", async (keep) => {
	const { name, queue, events, work } = await begin(keep);
	const worker = work(async () => "done");
	await queue.pause();
	const job = await queue.add("j", {}, { jobId: "mine" });
	assert.equal((await queue.add("again", {}, { jobId: "mine" })).id, "mine");
	assert.deepEqual(await queue.getJobCounts("paused", "wait"), { paused: 1, wait: 0 });
	await queue.resume();
	assert.equal(await job.waitUntilFinished(events), "done");
	await worker.close();
	await queue.addBulk([{ name: "j", data: {} }, { name: "j", data: {}, opts: { delay: 1e6 } }]);
	await queue.drain(true);
	assert.equal(await queue.count(), 0);
	await queue.obliterate();
	assert.deepEqual(await (await queue.client).keys(`bull:${name}:*`), []);
});

await run((thing) => thing.pid ? thing.kill("SIGKILL") : thing instanceof Worker ? thing.close(true) : thing.close());
