#!/bin/bash
# pubsub/: reading subscribes and waits, each line written is published.
. "$(dirname "$0")/lib.sh"
start

# subscribed CHANNEL N: until it has N subscribers
subscribed() { until [ "$(R pubsub numsub "$1" | tail -n1)" = "$2" ]; do :; done; }
# lines FILE N: until it has so many
lines() { until [ "$(wc -l <"$1")" -ge "$2" ]; do :; done; }

cat "$M/pubsub/news" >"$T/heard" &
reader=$!
subscribed news 1
is "$(R publish news "from resp")" 1 "a reader is a subscriber"
echo "from a file" >"$M/pubsub/news"
printf 'two\nlines\n' >>"$M/pubsub/news"
lines "$T/heard" 4
is "$(cat "$T/heard" | tr '\n' ,)" "from resp,from a file,two,lines," "what is published is read, a line a message"
is "$(ls "$M/pubsub")" news "ls lists the channels that are heard"
is "$(R client list | grep -c 'name=pubsub .* flags=P .* sub=1')" 1 "CLIENT LIST shows it"
kill "$reader"
wait "$reader" 2>/dev/null
subscribed news 0
pass "a killed reader is no subscriber"

redis-cli -s "$T/sock" subscribe resp >"$T/resp" &
reader=$!
subscribed resp 1
printf '\377\0binary\n%s' "{}" >"$T/raw"
printf "hello\n\$'a\\\\nb'\n" >"$M/pubsub/resp"
cat "$T/raw" >"$M/raw/pubsub/resp"
until grep -qaF '{}' "$T/resp"; do :; done
is "$(tail -n +4 "$T/resp" | head -n2 | tr '\n' ,)" "message,resp," "a subscriber over RESP hears files"
is "$(grep -ac hello "$T/resp")" 1 "each line"
is "$(grep -a -A1 '^a$' "$T/resp" | tail -n1)" b "a quoted line is its bytes"
kill "$reader"
wait "$reader" 2>/dev/null

# several readers; what was published before reading begins is kept from the opening on
exec 3<"$M/pubsub/c" 4<"$M/pubsub/c"
is "$(R publish c one)$(R publish c two)" 22 "two open files, two subscribers"
read -r a <&3
read -r b <&3
is "$a,$b" one,two "one hears all"
read -r a <&4
is "$a" one "and so does the other"
exec 3<&- 4<&-
subscribed c 0
exec 5>"$M/pubsub/c"
is "$(R pubsub numsub c | tail -n1)" 0 "a writer does not subscribe"
exec 5>&-

# tail -f
tail -s 0.05 -f "$M/pubsub/t" >"$T/tail" &
reader=$!
subscribed t 1
for i in 1 2 3; do R publish t "m$i" >/dev/null; done
lines "$T/tail" 3
is "$(tr '\n' , <"$T/tail")" m1,m2,m3, "tail -f"
R publish t m4 >/dev/null
lines "$T/tail" 4
is "$(tail -n1 "$T/tail")" m4 "goes on"
kill "$reader"
wait "$reader" 2>/dev/null
while read -r m && [ "$m" != end ]; do echo "got $m"; done <"$M/pubsub/loop" >"$T/loop" &
reader=$!
subscribed loop 1
printf 'a\nb\nend\n' >"$M/pubsub/loop"
wait "$reader"
is "$(tr '\n' , <"$T/loop")" "got a,got b," "while read"
sh -c 'read x; echo $x' <"$M/pubsub/sh" >"$T/sh" &
reader=$!
subscribed sh 1
echo byte-by-byte >"$M/pubsub/sh"
wait "$reader"
is "$(cat "$T/sh")" byte-by-byte "sh, byte by byte"

python3 - "$M" "$T/sock" <<'PY' && pass "O_NONBLOCK, poll, raw" || fail "O_NONBLOCK, poll, raw"
import os, select, subprocess, sys, threading
m, sock = sys.argv[1:]
def R(*a, **k):
    return subprocess.run(["redis-cli", "-s", sock, *a], stdout=subprocess.DEVNULL, **k)
fd = os.open(m + "/pubsub/p", os.O_RDONLY | os.O_NONBLOCK)
try:
    os.read(fd, 10)
    raise SystemExit("no EAGAIN")
except BlockingIOError:
    pass
p = select.poll()
p.register(fd, select.POLLIN)
assert p.poll(0) == []
t = threading.Timer(0.2, R, ("publish", "p", "hello"))
t.start()
assert p.poll(10000)
t.join()
assert os.read(fd, 2) == b"he"
assert os.read(fd, 100) == b"llo\n"
R("publish", "p", "a"); R("publish", "p", "b")
assert os.read(fd, 100) == b"a\n" and os.read(fd, 100) == b"b\n", "a read is a message"
assert p.poll(0) == []
raw = os.open(m + "/raw/pubsub/p", os.O_RDONLY)
R("-x", "publish", "p", input=b"\0\n\xff")
R("publish", "p", "next")
assert os.read(raw, 100) == b"\0\n\xff"
assert os.read(raw, 100) == b"next"
PY

# who does not read is cut off, as client-output-buffer-limit says
R config set client-output-buffer-limit "pubsub 1mb 0 0" >/dev/null
exec 3<"$M/pubsub/slow"
head -c 100000 /dev/zero | tr '\0' x >"$T/big"
for i in $(seq 12); do R -x publish slow <"$T/big" >/dev/null; done
error "Input/output error" "a slow reader is cut off" cat <&3
is "$(R pubsub numsub slow | tail -n1)" 0 "and no subscriber any more"
ok "the log says so" grep -q "overcoming of output buffer limits" "$T/log"
exec 3<&-
cat "$M/pubsub/k" >"$T/got" 2>"$T/err" &
reader=$!
subscribed k 1
R client kill id "$(R client list | sed -n 's/id=\([0-9]*\) .*name=pubsub .*/\1/p')" >/dev/null
wait "$reader"
ok "CLIENT KILL tells the reader" grep -q "Input/output error" "$T/err"
R set __name v >/dev/null
echo x >"$M/pubsub/__name"
is "$(R get __name)" v "a channel is no key"
error "Operation not permitted" "and cannot be removed" rm "$M/pubsub/__name"
R config set notify-keyspace-events KEA >/dev/null
exec 3<"$M/pubsub/__keyevent@0__:set"
R set e v >/dev/null
is "$(head -n1 <&3)" e "keyspace events"
exec 3<&-
cat "$M/pubsub/k" >"$T/got" 2>"$T/err" &
reader=$!
subscribed k 1
stop KILL
wait "$reader"
is "$([ -s "$T/err" ] && echo told)" told "the server's death ends who waits"
start
finish
