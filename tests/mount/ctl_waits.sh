#!/bin/bash
# ctl: commands that wait, subscriptions and MONITOR: the read waits until there is something.
. "$(dirname "$0")/lib.sh"
start

blocked() { until [ "$(R client list | grep -c 'flags=b')" = "$1" ]; do :; done; }

exec 3<>"$M/ctl"
echo 'BLPOP q 0' >&3
pass "a command that waits does not hold its write"
is "$(R client list | grep -c 'name=ctl .*flags=b.* cmd=blpop')" 1 "it is blocked"
cat <&3 >"$T/got" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
R rpush q hello >/dev/null
wait "$reader"
is "$(tr '\n' , <"$T/got")" q,hello, "the read waits for the reply, and the end follows it"
echo 'BLPOP q 0.1' >&3
is "$(cat <&3 | od -An -c | tr -d ' ')" '\n' "a time that is over is nil"
printf 'BLPOP q 0\nECHO behind\n' >"$T/two"
cat "$T/two" >&3
R rpush q x >/dev/null
is "$(cat <&3 | tr '\n' ,)" q,x,behind, "a line behind it runs when it was answered"
echo 'BLPOP q 0' >&3
echo 'ECHO later' >&3
R rpush q y >/dev/null
is "$(cat <&3 | tr '\n' ,)" q,y,later, "in another write, too"
echo 'BLMOVE q to LEFT RIGHT 0' >&3
R rpush q z >/dev/null
is "$(cat <&3)" z "BLMOVE"
printf 'MULTI\nBLPOP q 0\nEXEC\n' >"$T/multi"
cat "$T/multi" >&3
is "$(cat <&3 | tr '\n' ,)" OK,QUEUED,, "in a transaction nothing waits"
echo 'XREAD BLOCK 0 STREAMS st $' >&3
R xadd st 1-1 f v >/dev/null
is "$(cat <&3 | tr '\n' ,)" st,1-1,f,v, "XREAD BLOCK"

# interrupted: the command goes on waiting, its reply is for the next read
echo 'BLPOP q 0' >&3
env --default-signal=INT cat <&3 >"$T/got" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
kill -INT "$reader"
wait "$reader" 2>/dev/null
blocked 1
R rpush q kept >/dev/null
is "$(cat <&3 | tr '\n' ,)" q,kept, "a reader that is interrupted loses nothing"
# closed: it takes nothing
echo 'BLPOP q 0' >&3
blocked 1
exec 3<&-
blocked 0
R rpush q mine >/dev/null
is "$(R lpop q)" mine "a file that is closed takes nothing"
echo 'BLPOP q 0' >"$M/ctl"
R rpush q again >/dev/null
is "$(R lpop q)" again "nor one that only wrote"

# fair with the others
exec 3<>"$M/ctl"
echo 'BLPOP turn 0' >&3
blocked 1
R blpop turn 0 >"$T/resp" &
reader=$!
blocked 2
R rpush turn first second >/dev/null
is "$(cat <&3 | tail -n1)" first "first come"
wait "$reader"
is "$(tail -n1 "$T/resp")" second "first served"

# killed
echo 'BLPOP q 0' >&3
cat <&3 >"$T/got" 2>"$T/err" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
R client kill id "$(R client list | sed -n 's/id=\([0-9]*\) .*name=ctl .*/\1/p')" >/dev/null
wait "$reader"
ok "CLIENT KILL tells the reader" grep -q "Input/output error" "$T/err"
error "Input/output error" "and the writer" bash -c 'echo PING >&3'
exec 3<&-
exec 3<>"$M/ctl"
echo 'BLPOP q 0' >&3
blocked 1
R client unblock "$(R client list | sed -n 's/id=\([0-9]*\) .*name=ctl .*/\1/p')" error >/dev/null
is "$(cat <&3)" "UNBLOCKED client unblocked via CLIENT UNBLOCK" "CLIENT UNBLOCK"

# subscriptions
echo 'SUBSCRIBE ch' >&3
for i in 1 2 3; do read -r line <&3; echo "$line"; done >"$T/sub"
is "$(tr '\n' , <"$T/sub")" subscribe,ch,1, "SUBSCRIBE"
cat <&3 >"$T/messages" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
R publish ch one >/dev/null
echo two >"$M/pubsub/ch"
until [ "$(wc -l <"$T/messages")" = 6 ]; do :; done
is "$(tr '\n' , <"$T/messages")" message,ch,one,message,ch,two, "messages come as they are published"
kill "$reader"
wait "$reader" 2>/dev/null
printf 'UNSUBSCRIBE\nPING\n' >"$T/un"
cat "$T/un" >&3
is "$(cat <&3 | tr '\n' ,)" unsubscribe,ch,0,PONG, "UNSUBSCRIBE ends it, and a read has an end again"
echo 'PSUBSCRIBE p*' >&3
R publish pat x >/dev/null
is "$(head -n7 <&3 | tail -n4 | tr '\n' ,)" 'pmessage,p*,pat,x,' "PSUBSCRIBE"
exec 3<&-

# MONITOR
exec 3<>"$M/ctl"
echo MONITOR >&3
is "$(head -n1 <&3)" OK "MONITOR"
cat <&3 >"$T/monitor" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
R set seen "$(head -c 20000 /dev/zero | tr '\0' x)" >/dev/null
until grep -q '"set" "seen" "x' "$T/monitor"; do :; done
until [ "$(grep '"set" "seen"' "$T/monitor" | wc -c)" -gt 20000 ]; do :; done
is "$(grep -c '"set" "seen" "x*"$' "$T/monitor")" 1 "a long line is whole"
kill "$reader"
wait "$reader" 2>/dev/null
exec 3<&-
is "$(R client list | grep -c name=ctl)" 0 "closed files are gone"

python3 - "$M" "$T/sock" <<'PY' && pass "O_NONBLOCK and poll" || fail "O_NONBLOCK and poll"
import os, select, subprocess, sys, threading
m, sock = sys.argv[1:]
def R(*a):
    return subprocess.run(["redis-cli", "-s", sock, *a], stdout=subprocess.DEVNULL)
fd = os.open(m + "/ctl", os.O_RDWR | os.O_NONBLOCK)
os.write(fd, b"BLPOP nb 0\n")
try:
    os.read(fd, 100)
    raise SystemExit("no EAGAIN")
except BlockingIOError:
    pass
p = select.poll()
p.register(fd, select.POLLIN)
assert p.poll(0) == []
t = threading.Timer(0.2, R, ("rpush", "nb", "v"))
t.start()
assert p.poll(10000)
t.join()
assert os.read(fd, 100) == b"nb\nv\n"
assert os.read(fd, 100) == b""
PY

R config set client-output-buffer-limit "pubsub 1mb 0 0" >/dev/null
exec 3<>"$M/ctl"
echo 'SUBSCRIBE slow' >&3
head -c 100000 /dev/zero | tr '\0' x >"$T/big"
for i in $(seq 12); do R -x publish slow <"$T/big" >/dev/null; done
error "Input/output error" "who does not read is cut off" cat <&3
exec 3<&-

exec 3<>"$M/ctl"
echo 'BLPOP q 0' >&3
cat <&3 >"$T/got" 2>"$T/err" &
reader=$!
until [ "$(sed -n 's/^mount_waiting_readers://p' "$M/server/stats")" = 1 ]; do :; done
stop KILL
wait "$reader"
is "$([ -s "$T/err" ] && echo told)" told "the server's death ends who waits"
exec 3<&-
start
finish
