// What the scripts of this folder share: packages from where the tests installed them, and cases that answer in lines.
import { createRequire } from "node:module";

// $CLIENTS_MODULES: the folder whose node_modules has the packages. $SERVER_PORT: the server to test.
export const load = createRequire(process.env.CLIENTS_MODULES + "/");
export const connection = { host: "127.0.0.1", port: Number(process.env.SERVER_PORT), maxRetriesPerRequest: null };

const cases = [];

export function test(name, body) {
	cases.push([name, body]);
}

// A promise with its settlers, for what an event will bring.
export function promised() {
	const p = {};
	p.done = new Promise((resolve, reject) => Object.assign(p, { resolve, reject }));
	return p;
}

// Asks until the answer is true. The case's own time ends it.
export async function until(what) {
	for (;;) {
		const said = await what();
		if (said)
			return said;
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

// Runs the cases one after the other; each gets keep(thing), which closes what it opened, newest first. One line for each.
export async function run(closing, seconds = 15) {
	for (const [name, body] of cases) {
		const kept = [];
		const keep = (thing) => (kept.push(thing), thing);
		let timer;
		const late = new Promise((_, reject) => {
			timer = setTimeout(() => reject(new Error(`not within ${seconds} s`)), seconds * 1000);
		});
		try {
			await Promise.race([body(keep), late]);
			console.log(`ok ${name}`);
		} catch (e) {
			console.log(`not ok ${name}: ${String(e.stack).replace(/\s*\n\s*/g, " | ")}`);
		}
		clearTimeout(timer);
		await Promise.race([Promise.allSettled(kept.reverse().map(closing)), new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
	}
	process.exit(0);
}
