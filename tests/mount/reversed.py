#!/usr/bin/python3
"""What a shell wrote through the mount, every client gets as soon as the shell goes on: reversed.py MOUNT SOCKET CHECKS [SEED]

Four shells change keys of every type with redirections and everyday tools, each in a database of its own and against a model of it. When a
command line is done (its exit status is there), a client asks over RESP: the whole value of what was changed and its type, now and
then all names. Prints ok and not ok lines.
"""
import multiprocessing
import os
import random
import subprocess
import sys

from coherence import Resp, Stale

WORKERS = 4
NAMES = ["a", "b", "c", "k 1", "x%25y"]
WORDS = ["m", "n", "f1", "f2", "long member"]


def decoded(name):
    return name.replace("%25", "%")


class Shell:
    def __init__(self, where):
        self.p = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=where, text=True)

    def __call__(self, line):
        self.p.stdin.write(line + "\necho $?\n")
        self.p.stdin.flush()
        return int(self.p.stdout.readline())


class Worker:
    def __init__(self, mount, sock, which, seed):
        self.rng = random.Random(seed * 100 + which)
        self.db = 11 + which
        self.r = Resp(sock)
        self.r("SELECT", self.db)
        self.sh = Shell(os.path.join(mount, "db", str(self.db)))
        self.raw = f"../../raw/db/{self.db}"
        self.model = {}  # name: (type, value)
        self.checks, self.history = 0, []

    def text(self):
        return "".join(self.rng.choice("abcdefgh ") for _ in range(self.rng.randrange(1, 40))) + "."

    def some(self, kind):
        """A name that has that type, or is free; now and then one of another type, where writing must fail."""
        names = [n for n in NAMES if self.model.get(n, (kind,))[0] == kind]
        return self.rng.choice(names if names and self.rng.random() < 0.95 else NAMES)

    # --- what a line does: the line, and what is true afterwards when it succeeds

    def lines_of(self, kind, name, empty):
        had = self.model.get(name)
        return had[1].copy() if had and had[0] == kind else empty

    def string(self):
        n, t = self.some("string"), self.text()
        had = self.model.get(n)
        old = had[1] if had and had[0] == "string" else ""
        off = self.rng.randrange(len(old) + 1)
        return n, self.rng.choice([
            lambda: (f"echo '{t}' >'string/{n}'", t),
            lambda: (f"echo '{t}' | tee 'string/{n}' >/dev/null", t),
            lambda: (f"printf '%s' '{t}' >'{self.raw}/string/{n}'", t),
            lambda: (f"printf '%s' '{t}' >>'{self.raw}/string/{n}'", old + t),
            lambda: (f"printf '%s\\n%s\\n' '{t}' '{t}' >'string/{n}'", f"{t}\n{t}\n"),
            lambda: (f"printf '%s' '{t}' | dd of='{self.raw}/string/{n}' conv=notrunc oflag=seek_bytes seek={off}", old[:off] + t + old[off + len(t):]),
            lambda: (f"truncate -s {off} '{self.raw}/string/{n}'", old[:off]),
            lambda: (f": >'string/{n}'", ""),
            lambda: (f"[ -f '{self.raw}/string/{n}' ] && sed -i 's/a/A/g' '{self.raw}/string/{n}'", old.replace("a", "A") if had else None),
        ])()

    def list(self):
        n, t = self.some("list"), self.text()
        old = self.lines_of("list", n, [])
        return n, self.rng.choice([
            lambda: (f"echo '{t}' >>'list/{n}'", old + [t]),
            lambda: (f"printf '%s\\n' '{t}' 2 '{t}' >'list/{n}'", [t, "2", t]),
            lambda: (f"printf '%s\\n' '{t}' 3 >'queue/{n}'", old + [t, "3"]),
            lambda: (f"[ -f 'list/{n}' ] && sort -o 'list/{n}' 'list/{n}'", sorted(old, key=lambda s: s.encode()) if old else None),
            lambda: (f"[ -e 'list.d/{n}/0' ] && echo '{t}' >'list.d/{n}/0'", [t] + old[1:] if old else None),
            lambda: (f"[ -e 'list.d/{n}/0' ] && rm 'list.d/{n}/0'", old[1:] if old else None),
        ])()

    def set(self):
        n, w = self.some("set"), self.rng.choice(WORDS)
        old = self.lines_of("set", n, set())
        return n, self.rng.choice([
            lambda: (f"echo '{w}' >>'set/{n}'", old | {w}),
            lambda: (f"printf '%s\\n' '{w}' z >'set/{n}'", {w, "z"}),
            lambda: (f"mkdir -p 'set.d/{n}' && touch 'set.d/{n}/{w}'", old | {w}),
            lambda: (f"[ -e 'set.d/{n}/{w}' ] && rm 'set.d/{n}/{w}'", old - {w} if w in old else None),
        ])()

    def hash(self):
        n, w, t = self.some("hash"), self.rng.choice(WORDS), self.text()
        old = self.lines_of("hash", n, {})
        return n, self.rng.choice([
            lambda: (f"printf '%s\\t%s\\n' '{w}' '{t}' >>'hash/{n}'", {**old, w: t}),
            lambda: (f"printf '%s\\t%s\\n' '{w}' '{t}' q 5 >'hash/{n}'", {w: t, "q": "5"}),
            lambda: (f"mkdir -p 'hash.d/{n}' && echo '{t}' >'hash.d/{n}/{w}'", {**old, w: t}),
            lambda: (f"[ -e 'hash.d/{n}/{w}' ] && rm 'hash.d/{n}/{w}'", {k: v for k, v in old.items() if k != w} if w in old else None),
            lambda: (f"[ -e 'hash.d/{n}/{w}' ] && mv 'hash.d/{n}/{w}' 'hash.d/{n}/moved'", {**{k: v for k, v in old.items() if k != w}, "moved": old[w]} if w in old else None),
        ])()

    def zset(self):
        n, w, score = self.some("zset"), self.rng.choice(WORDS), self.rng.randrange(100)
        old = self.lines_of("zset", n, {})
        return n, self.rng.choice([
            lambda: (f"printf '%s\\t%s\\n' {score} '{w}' >>'zset/{n}'", {**old, w: score}),
            lambda: (f"printf '%s\\t%s\\n' {score} '{w}' >'zset/{n}'", {w: score}),
            lambda: (f"mkdir -p 'zset.d/{n}' && echo {score} >'zset.d/{n}/{w}'", {**old, w: score}),
            lambda: (f"[ -e 'zset.d/{n}/{w}' ] && rm 'zset.d/{n}/{w}'", {k: v for k, v in old.items() if k != w} if w in old else None),
        ])()

    def names(self):
        """rm, mv and cp of whatever there is; mv and cp replace."""
        rng = self.rng
        if not self.model:
            return
        n, to = rng.choice(sorted(self.model)), rng.choice(NAMES)
        kind = self.model[n][0]
        view = f"{kind}.d" if kind in ("hash", "set", "zset") and rng.random() < 0.5 else kind
        what = rng.randrange(4)
        if what == 0:
            done = self.line(f"rm '{rng.choice([kind, 'key'])}/{n}'")
        elif what == 1:
            done = self.line(f"rm -r '{view}/{n}'")
        else:
            done = self.line(f"{('cp', 'mv -T')[what - 2]} '{kind}/{n}' '{kind}/{to}'")
        other = self.model.get(to, (kind,))[0] != kind
        self.expect("exit status of " + self.history[-1], done, what < 2 or not (n == to or other))
        if done and what == 0 or what == 1:
            del self.model[n]
        elif done:
            self.model[to] = self.model[n]
            if what == 3:
                del self.model[n]
        self.read(n)
        self.read(to)

    # --- running and asking

    def line(self, line):
        self.history.append(line)
        return self.sh(line) == 0

    def expect(self, what, got, want):
        self.checks += 1
        if got != want:
            last = "\n".join("    " + h for h in self.history[-6:])
            raise Stale(f"db {self.db} {what}: a client gets {got!r}, it is {want!r}, after\n{last}")

    def read(self, name):
        key, text = decoded(name), lambda b: b.decode() if isinstance(b, bytes) else b
        kind, want = self.model.get(name, ("none", None))
        self.expect(f"type of {name}", self.r("TYPE", key), kind)
        if kind == "string":
            self.expect(f"value of {name}", text(self.r("GET", key)), want)
            self.expect(f"length of {name}", self.r("STRLEN", key), len(want))
        elif kind == "list":
            self.expect(f"elements of {name}", [text(e) for e in self.r("LRANGE", key, 0, -1)], want)
        elif kind == "set":
            self.expect(f"members of {name}", {text(e) for e in self.r("SMEMBERS", key)}, want)
        elif kind in ("hash", "zset"):
            flat = [text(e) for e in self.r(*(("HGETALL", key) if kind == "hash" else ("ZRANGE", key, 0, -1, "WITHSCORES")))]
            got = dict(zip(flat[::2], flat[1::2]))
            self.expect(f"{'fields' if kind == 'hash' else 'scores'} of {name}", got, {k: str(v) for k, v in want.items()})
        else:
            self.expect(f"{name} is there", self.r("EXISTS", key), 0)

    def step(self):
        if self.rng.random() < 0.25:
            self.names()
        else:
            kind = self.rng.choice(["string", "list", "set", "hash", "zset"])
            name, (line, value) = getattr(self, kind)()
            may = value is not None and self.model.get(name, (kind,))[0] == kind
            done = self.line(line)
            self.expect("exit status of " + line, done, may)
            if done:
                self.model[name] = (kind, value)
                if kind != "string" and not value:
                    del self.model[name]
            self.read(name)
        self.read(self.rng.choice(NAMES))
        if self.rng.random() < 0.1:
            self.expect("names", sorted(n.decode() for n in self.r("KEYS", "*")), sorted(decoded(n) for n in self.model))


def work(mount, sock, which, seed, enough, counts, out):
    w = Worker(mount, sock, which, seed)
    try:
        while w.checks < enough:
            w.step()
            counts[which] = w.checks
    except Stale as e:
        out.put(str(e))


def main():
    mount, sock, enough = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    print(f"# reversed, seed {seed}", flush=True)
    out = multiprocessing.Queue()
    counts = multiprocessing.Array("q", WORKERS, lock=False)
    procs = [multiprocessing.Process(target=work, args=(mount, sock, i, seed, enough / WORKERS, counts, out)) for i in range(WORKERS)]
    for p in procs:
        p.start()
    for p in procs:
        p.join()
    failures = []
    while not out.empty():
        failures.append(out.get())
    bad = failures or any(p.exitcode for p in procs)
    print(f"{'not ok' if bad else 'ok'} {sum(counts)} times a client gets what a shell wrote")
    for f in failures:
        print("not ok", f)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
