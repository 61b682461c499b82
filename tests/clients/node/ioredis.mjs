// ioredis as applications use it.
import assert from "node:assert/strict";
import { connection, load, promised, run, test, until } from "./harness.mjs";

const Redis = load("ioredis");

// A client of an empty server.
async function fresh(keep, options = {}) {
	const r = keep(new Redis({ ...connection, ...options }));
	await r.flushall();
	return r;
}

test("a pipeline answers every command in its order, errors among them", async (keep) => {
	const r = await fresh(keep);
	const p = r.pipeline();
	for (let i = 0; i < 1000; i++)
		p.set(`k${i}`, i).get(`k${i}`);
	p.lpush("k0", "x").incr("k1");
	const answers = await p.exec();
	assert.equal(answers.length, 2002);
	for (let i = 0; i < 1000; i++)
		assert.deepEqual(answers.slice(2 * i, 2 * i + 2), [[null, "OK"], [null, String(i)]]);
	assert.match(answers[2000][0].message, /^WRONGTYPE /);
	assert.deepEqual(answers[2001], [null, 2]);
});

test("commands of one turn are pipelined by themselves", async (keep) => {
	const r = await fresh(keep, { enableAutoPipelining: true });
	const answers = await Promise.all(Array.from({ length: 500 }, () => r.incr("n")));
	assert.deepEqual(answers, Array.from({ length: 500 }, (_, i) => i + 1));
});

test("a transaction is whole, is given up on an error, or on a watched key", async (keep) => {
	const r = await fresh(keep);
	const other = keep(new Redis(connection));
	assert.deepEqual(await r.multi().set("a", 1).incr("a").lpush("a", "x").get("a").exec().then((all) => all.map(([e, v]) => e?.message ?? v)),
		["OK", 2, "WRONGTYPE Operation against a key holding the wrong kind of value", "2"]);
	await r.watch("a");
	await other.set("a", "theirs");
	assert.equal(await r.multi().set("a", "mine").exec(), null);
	await assert.rejects(r.multi().set("a").exec(), /EXECABORT Transaction discarded because of previous errors\./);
	assert.equal(await r.get("a"), "theirs");
	await r.multi({ pipeline: false });
	assert.equal(await r.set("a", "queued"), "QUEUED");
	assert.equal(await r.discard(), "OK");
	assert.equal(await r.get("a"), "theirs");
});

test("messages reach their channels and patterns, and binary subscribers", async (keep) => {
	const r = await fresh(keep);
	const sub = keep(new Redis(connection));
	const [plain, matched, raw] = [promised(), promised(), promised()];
	sub.on("message", (...words) => plain.resolve(words));
	sub.on("pmessage", (...words) => matched.resolve(words));
	sub.on("messageBuffer", (_, message) => raw.resolve(message));
	assert.equal(await sub.subscribe("news", "more"), 2);
	assert.equal(await sub.psubscribe("n*"), 3);
	assert.equal(await r.publish("news", "hä"), 2);
	assert.deepEqual(await plain.done, ["news", "hä"]);
	assert.deepEqual(await matched.done, ["n*", "news", "hä"]);
	assert.deepEqual(await raw.done, Buffer.from("hä"));
	await assert.rejects(sub.get("k"), /subscriber mode/);
	assert.equal(await sub.unsubscribe("news", "more"), 1);
	assert.equal(await sub.punsubscribe("n*"), 0);
	assert.equal(await sub.get("k"), null);
});

test("subscriptions come back with a connection that was cut", async (keep) => {
	const r = await fresh(keep);
	const sub = keep(new Redis({ ...connection, retryStrategy: () => 5, connectionName: "listener" }));
	const heard = promised();
	sub.on("message", (_, message) => heard.resolve(message));
	await sub.subscribe("news");
	assert.equal(await r.client("KILL", "TYPE", "pubsub"), 1);
	await until(async () => await r.publish("news", "again"));
	assert.equal(await heard.done, "again");
});

test("a defined command is a script that the server may forget", async (keep) => {
	const r = await fresh(keep);
	r.defineCommand("pack", { numberOfKeys: 1, lua: `
		local t = cmsgpack.unpack(ARGV[1])
		t.sum = t.list[1] + t.list[2]
		t.text = t.text .. "!"
		redis.call("SET", KEYS[1], cmsgpack.pack(t))
		return cmsgpack.pack(t)` });
	const { pack, unpack } = load("msgpackr");
	const given = { list: [1, 2.5], text: "ä", yes: true };
	const expected = { ...given, sum: 3.5, text: "ä!" };
	assert.deepEqual(unpack(await r.packBuffer("k", pack(given))), expected);
	assert.deepEqual(unpack(await r.getBuffer("k")), expected);
	await r.script("FLUSH");
	assert.deepEqual(unpack(await r.packBuffer("k", pack(given))), expected);
	await r.script("FLUSH");
	const [[failed, answer]] = await r.pipeline().packBuffer("k", pack(given)).exec();
	assert.equal(failed, null);
	assert.deepEqual(unpack(answer), expected);
	await assert.rejects(r.pack("k", "\xc1"), /^ReplyError: /);
});

test("scan streams name every key and element once they are done", async (keep) => {
	const r = await fresh(keep);
	const p = r.pipeline();
	for (let i = 0; i < 1000; i++)
		p.set(`k:${i}`, i).hset("h", `f${i}`, i).sadd("s", i).zadd("z", i, `m${i}`);
	await p.exec();
	const all = async (stream, step = 1) => {
		const seen = new Set();
		for await (const part of stream)
			part.filter((_, i) => i % step === 0).forEach((x) => seen.add(x));
		return seen.size;
	};
	assert.equal(await all(r.scanStream({ match: "k:*", count: 50 })), 1000);
	assert.equal(await all(r.scanStream({ type: "zset" })), 1);
	assert.equal(await all(r.hscanStream("h"), 2), 1000);
	assert.equal(await all(r.sscanStream("s", { count: 7 })), 1000);
	assert.equal(await all(r.zscanStream("z", { match: "m99*" }), 2), 11);
});

test("a group of consumers shares a stream, and one takes over from another", async (keep) => {
	const r = await fresh(keep);
	const reader = keep(new Redis(connection));
	assert.equal(await r.xgroup("CREATE", "log", "g", "$", "MKSTREAM"), "OK");
	await assert.rejects(r.xgroup("CREATE", "log", "g", "$"), /BUSYGROUP Consumer Group name already exists/);
	const waiting = reader.xreadgroup("GROUP", "g", "one", "COUNT", 1, "BLOCK", 10000, "STREAMS", "log", ">");
	const id = await r.xadd("log", "*", "n", 1);
	assert.deepEqual(await waiting, [["log", [[id, ["n", "1"]]]]]);
	assert.deepEqual(await r.xpending("log", "g"), [1, id, id, [["one", "1"]]]);
	assert.deepEqual(await r.xautoclaim("log", "g", "two", 0, "0"), ["0-0", [[id, ["n", "1"]]], []]);
	assert.equal(await r.xack("log", "g", id), 1);
	assert.deepEqual(await r.xpending("log", "g"), [0, null, null, null]);
	assert.equal(await reader.xreadgroup("GROUP", "g", "one", "BLOCK", 20, "STREAMS", "log", ">"), null);
	assert.equal((await r.xinfo("STREAM", "log"))[1], 1);
});

test("bytes come back as they were", async (keep) => {
	const r = await fresh(keep);
	const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
	const big = Buffer.concat(Array(1 << 13).fill(every));
	await r.set(every, big);
	assert.ok((await r.getBuffer(every)).equals(big));
	await r.hset("h", new Map([[every, every], ["f", "v"]]));
	assert.deepEqual(await r.hgetallBuffer("h").then((h) => h.f), Buffer.from("v"));
	assert.ok((await r.hgetBuffer("h", every)).equals(every));
	await r.restore("copy", 0, await r.dumpBuffer("h"));
	assert.ok((await r.hgetBuffer("copy", every)).equals(every));
	assert.deepEqual(await r.lrangeBuffer("nothing", 0, -1), []);
});

test("errors of the server are rejections with its words", async (keep) => {
	const r = await fresh(keep, { showFriendlyErrorStack: true });
	await r.set("s", "text");
	await assert.rejects(r.incr("s"), { name: "ReplyError", message: "ERR value is not an integer or out of range" });
	await assert.rejects(r.lpush("s", 1), { message: "WRONGTYPE Operation against a key holding the wrong kind of value" });
	await assert.rejects(r.call("NOSUCH", "a"), { message: "ERR unknown command 'NOSUCH', with args beginning with: 'a' " });
	await assert.rejects(r.call("GET"), { message: "ERR wrong number of arguments for 'get' command" });
	await assert.rejects(r.eval("return redis.error_reply('MINE at all')", 0), /MINE at all/);
	await assert.rejects(r.evalsha("0".repeat(40), 0), /NOSCRIPT No matching script/);
	assert.equal(await r.ping(), "PONG");
});

test("a queue of blocked clients is served in its order", async (keep) => {
	const r = await fresh(keep);
	const [one, two] = [keep(new Redis(connection)), keep(new Redis(connection))];
	const first = one.blpop("q", "p", 10);
	await until(async () => /blocked_clients:1\r/.test(await r.info("clients")));
	const second = two.bzpopmin("z", "y", 10);
	await until(async () => /blocked_clients:2\r/.test(await r.info("clients")));
	await r.multi().rpush("p", "job").zadd("y", 1.5, "m").exec();
	assert.deepEqual(await first, ["p", "job"]);
	assert.deepEqual(await second, ["y", "m", "1.5"]);
	assert.equal(await one.blmove("q", "p", "LEFT", "RIGHT", 0.02), null);
});

await run((client) => client.disconnect());
