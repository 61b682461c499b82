#!/bin/bash
# queue/: each read takes an element off a list, or waits for one in the queue of BLPOP.
. "$(dirname "$0")/lib.sh"
start

# blocked N: until N sessions wait
blocked() { until [ "$(R client list | grep -c 'cmd=blpop')" = "$1" ]; do :; done; }

echo job1 >"$M/queue/jobs"
printf 'job2\njob3\n' >>"$M/queue/jobs"
is "$(R lrange jobs 0 -1 | tr '\n' ,)" job1,job2,job3, "writing pushes, > as >>"
is "$(ls "$M/queue")" jobs "ls lists the lists"
exec 3<"$M/queue/jobs"
read -r one <&3
is "$one" job1 "a read takes the first"
is "$(R llen jobs)" 2 "and no more"
read -r two <&3
read -r three <&3
exec 3<&-
is "$two,$three" job2,job3 "one read, one element"
ok "a name that is no key yet can be waited for" test -e "$M/queue/none"
is "$(stat -c %s "$M/queue/jobs")" 0 "it has no size"
touch "$M/queue/touched"
is "$(R exists touched)" 0 "touch makes no key"

# waiting
head -n1 "$M/queue/w" >"$T/got" &
reader=$!
blocked 1
is "$(R client list | grep -c 'name=queue .* flags=b')" 1 "a reader that waits is a blocked client"
is "$(R info clients | grep blocked_clients | tr -d '\r')" blocked_clients:1 "INFO counts it"
R rpush w hello world >/dev/null
wait "$reader"
is "$(cat "$T/got")" hello "it is woken by RPUSH"
is "$(R llen w)" 1 "and took one"
R del w >/dev/null
head -n1 "$M/queue/w" >"$T/got" &
reader=$!
blocked 1
echo "from a file" >"$M/queue/w"
wait "$reader"
is "$(cat "$T/got")" "from a file" "and by a file's write"

# fairness: in order of arrival through both doors
for i in 1 2 3 4 5 6; do
	if [ $((i % 2)) = 1 ]; then
		head -n1 "$M/queue/fair" >"$T/fair$i" &
	else
		R blpop fair 0 >"$T/fair$i" &
	fi
	readers[$i]=$!
	blocked "$i"
done
R rpush fair 1 2 3 4 5 6 >/dev/null
wait "${readers[@]}"
is "$(for i in 1 2 3 4 5 6; do tail -n1 "$T/fair$i"; done | tr '\n' ,)" 1,2,3,4,5,6, "cat and BLPOP are served in the order in which they came"

# interruption: nothing is lost
for signal in INT TERM KILL; do
	env --default-signal=INT cat "$M/queue/s" >"$T/got" & # what runs in the background ignores SIGINT
	reader=$!
	blocked 1
	kill "-$signal" "$reader"
	wait "$reader" 2>/dev/null
	is "$(R client list | grep -c 'cmd=blpop.*\bflags=b')" 0 "SIG$signal ends a reader that waits"
	R rpush s "after $signal" >/dev/null
	is "$(R lpop s)" "after $signal" "and takes nothing with it"
done
# killed in the same moment: an element is read or goes back, and is never in both places. (One that was killed with the answer in its hands
# cannot be told from one that had printed it.)
lost=0 twice=0
for i in $(seq 30); do
	cat "$M/queue/race" >"$T/race$i" &
	reader=$!
	blocked 1
	kill -KILL "$reader" &
	killer=$!
	R rpush race "e$i" >/dev/null
	wait "$killer" "$reader" 2>/dev/null
	case $(cat "$T/race$i")/$(R lpop race) in
	"e$i/" | "/e$i") ;;
	/) lost=$((lost + 1)) ;;
	*) twice=$((twice + 1)) ;;
	esac
	R del race >/dev/null
done 2>/dev/null
is "$twice" 0 "a push and a kill in the same moment ($lost of 30 died with the element)"
is "$([ "$lost" -lt 15 ] && echo kept)" kept "as good as none is lost"

python3 - "$M" "$T/sock" <<'PY' && pass "O_NONBLOCK, poll and small reads" || fail "O_NONBLOCK, poll and small reads"
import errno, os, select, subprocess, sys, threading, time
m, sock = sys.argv[1:]
def R(*a):
    return subprocess.run(["redis-cli", "-s", sock, *a], capture_output=True, text=True).stdout.strip()
fd = os.open(m + "/queue/p", os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(fd, 100)
    raise SystemExit("no EAGAIN")
except BlockingIOError:
    pass
p = select.poll()
p.register(fd, select.POLLIN)
assert p.poll(0) == []
t = threading.Timer(0.2, R, ("rpush", "p", "abcdef", "second"))
t.start()
assert p.poll(10000), "poll wakes"
t.join()
assert os.read(fd, 3) == b"abc"
assert p.poll(0), "the rest is ready"
assert os.read(fd, 100) == b"def\n", "what a small read left"
assert os.read(fd, 100) == b"second\n"
assert p.poll(0) == []
e = select.epoll()
e.register(fd, select.EPOLLIN)
assert e.poll(0) == []
t = threading.Timer(0.2, R, ("rpush", "p", "x"))
t.start()
assert e.poll(10), "epoll wakes"
t.join()
assert os.read(fd, 100) == b"x\n"
os.close(fd)
# an element that just fills a large read does not make it wait for the next
fd = os.open(m + "/queue/p", os.O_RDONLY)
subprocess.run(["redis-cli", "-s", sock, "-x", "rpush", "p"], input=b"y" * 131071, stdout=subprocess.DEVNULL)
got = os.read(fd, 1 << 20)
while len(got) < 131072:
    got += os.read(fd, 131072)
assert got == b"y" * 131071 + b"\n"
PY

# binary elements
printf 'two\nlines\0\377' | R -x rpush bin >/dev/null
R rpush bin '{"a": [1, 2]}' '' 'tab	x' >/dev/null
is "$(timeout 1 cat "$M/queue/bin")" "\$'two\\nlines\\000"$'\377'"'
{\"a\": [1, 2]}

tab	x" "an element is a line, as in list/"
printf "%s\n" "\$'two\\nlines'" >"$M/queue/bin"
is "$(R lindex bin 0)" "two
lines" "and is read back so"
R del bin >/dev/null
head -c 300000 /dev/urandom >"$T/blob"
cp "$T/blob" "$M/raw/queue/bin"
R lindex bin 0 | head -c 300000 | cmp - "$T/blob" && pass "raw/: a file is an element" || fail "raw/: a file is an element"
timeout 1 cat "$M/raw/queue/bin" >"$T/back"
same "$T/back" "$T/blob" "raw/: and comes back as it was"
printf 'a\nb\n' >"$M/raw/queue/bin"
is "$(R llen bin)" 1 "raw/: lines are no elements"
R del bin >/dev/null

# the shell's work queue
seq 200 >"$M/queue/work"
for w in 1 2 3; do
	while read -r job; do
		[ "$job" != end ] || break
		echo "$job" >>"$M/list/done"
	done <"$M/queue/work" &
	workers[$w]=$!
done
for w in 1 2 3; do echo end >"$M/queue/work"; done
wait "${workers[@]}"
sort -n "$M/list/done" >"$T/done"
seq 200 >"$T/want"
same "$T/done" "$T/want" "three workers share the jobs"
printf '%s\n' a b end >"$M/queue/each"
while read -r job <"$M/queue/each" && [ "$job" != end ]; do echo "$job"; done >"$T/each"
is "$(tr '\n' , <"$T/each")" a,b, "opened anew for each job, too"
seq 20 >"$M/queue/xargs"
head -n1 "$M/queue/xargs" >/dev/null
is "$(timeout 1 xargs -n1 echo job <"$M/queue/xargs" | tail -n1)" "job 20" "xargs runs each as it comes"
seq 5 >"$M/queue/sh"
is "$(sh -c 'read a; read b; echo $a $b' <"$M/queue/sh")" "1 2" "sh, which reads byte by byte"
is "$(R llen sh)" 3 "takes no more than it reads"
R del sh >/dev/null

# errors
R set str v >/dev/null
error "No such file" "another type is not there" cat "$M/queue/str"
error "File exists" "and cannot be written" bash -c "echo x >'$M/queue/str'"
exec 3<"$M/queue/turns"
R set turns v >/dev/null
error "Invalid argument" "nor read when it became one" cat <&3
exec 3<&-
error "Invalid argument" "a bad line" bash -c "printf \"\\\$'\\\\\\\\q'\\n\" >'$M/queue/l'"
is "$(R exists l)" 0 "pushes nothing"
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
is "$(R client kill id "$(R client list | sed -n 's/id=\([0-9]*\) .*name=queue .*/\1/p')")" 1 "CLIENT KILL"
wait "$reader"
ok "tells the reader" grep -q "Input/output error" "$T/err"
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
R client unblock "$(R client list | sed -n 's/id=\([0-9]*\) .*name=queue .*/\1/p')" >/dev/null
ok "CLIENT UNBLOCK ends it as the end of a file" wait "$reader"
rm "$M/queue/xargs" 2>/dev/null
R rpush gone 1 >/dev/null
rm "$M/queue/gone"
is "$(R exists gone)" 0 "rm is DEL"
R -n 3 rpush q3 three >/dev/null
is "$(head -n1 "$M/db/3/queue/q3")" three "db/N"

# every byte value in a name
python3 - "$M" "$T/sock" <<'PY' && pass "every byte value in a name" || fail "every byte value in a name"
import os, sys
mnt = os.fsencode(sys.argv[1])
for c in range(256):
    key = bytes([c]) + b"k"
    name = b"%%%02Xk" % c if c < 32 or c in (127, 47, 37, 46) else key
    with open(mnt + b"/queue/" + name, "wb") as f:
        f.write(b"v%d\n" % c)
    assert name in os.listdir(mnt + b"/list")
    fd = os.open(mnt + b"/queue/" + name, os.O_RDONLY)
    assert os.read(fd, 100) == b"v%d\n" % c
    os.close(fd)
PY

# a thousand readers, then all at once
python3 - "$M" "$T/sock" <<'PY' && pass "a thousand readers wait, and each gets one" || fail "a thousand readers wait, and each gets one"
import os, socket, sys, threading
mnt, sock = sys.argv[1:]
threading.stack_size(128 * 1024)
got, lock = [], threading.Lock()
def reader():
    fd = os.open(mnt + "/queue/thousand", os.O_RDONLY)
    data = os.read(fd, 4096)
    os.close(fd)
    with lock:
        got.append(data)
threads = [threading.Thread(target=reader) for _ in range(1000)]
for t in threads:
    t.start()
s = socket.socket(socket.AF_UNIX)
s.connect(sock)
f = s.makefile("rwb")
def info():
    f.write(b"INFO clients\r\n"); f.flush()
    return f.read(int(f.readline()[1:]) + 2)
while b"blocked_clients:1000" not in info():
    pass
f.write(b"RPUSH thousand " + b" ".join(b"%d" % i for i in range(1000)) + b"\r\n"); f.flush()
f.readline()
for t in threads:
    t.join()
assert sorted(int(g) for g in got) == list(range(1000))
assert b"blocked_clients:0" in info()
PY

# the end of the server, and of the mount
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
stop TERM
wait "$reader"
is "$([ -s "$T/err" ] && echo told)" told "the end of the server ends who waits"
start
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
stop KILL
wait "$reader"
is "$([ -s "$T/err" ] && echo told)" told "its death, too"
start
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
umount -l "$M"
R rpush k last >/dev/null
until [ -s "$T/got" ]; do :; done
is "$(cat "$T/got")" last "a reader outlives a lazy unmount"
kill "$reader"
wait "$reader" 2>/dev/null
stop
start
cat "$M/queue/k" >"$T/got" 2>"$T/err" &
reader=$!
blocked 1
umount -f "$M" 2>/dev/null || umount -l "$M"
kill "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
is "$(R ping)" PONG "a forced unmount leaves the server"
finish
