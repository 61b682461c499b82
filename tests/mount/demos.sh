#!/bin/bash
# The demonstrations of mount-scripts/demo, and that they leave nothing behind.
. "$(dirname "$0")/lib.sh"
start

demo() { "$here/../../mount-scripts/demo/$1" "$M" "${@:2}" >"$T/shown" 2>"$T/err" || fail "$1: $(cat "$T/err")"; }
nothing_left() { is "$(R dbsize)$(cat "$T/err" | grep -v computing)" 0 "$1 leaves nothing"; }

demo cache
is "$(grep -c computing "$T/err")/$(grep -c ': 333833500$' "$T/shown")" 1/3 "cache: computed once"
nothing_left cache
demo session
ok "session: a hash with an end" grep -q 'of Suyeon, fields: since user' "$T/shown"
ok "session: logged out" grep -q 'logged out' "$T/shown"
nothing_left session
demo ranking
is "$(tail -n1 "$T/shown")" "the winner: grace" "ranking: in order"
nothing_left ranking
printf 'hello\nis anybody there?\n' | "$here/../../mount-scripts/demo/chat" "$M" ada room >"$T/shown" 2>"$T/err"
is "$(tr '\n' , <"$T/shown")" "ada: hello,ada: is anybody there?," "chat: what is said is heard"
: >"$T/err"
nothing_left chat
demo work-queue
is "$(sed 's/ is done.*//' "$T/shown" | sort -V | tr '\n' ,)" "$(seq -f 'job %g' 12 | tr '\n' ,)" "work-queue: each job once"
nothing_left work-queue
demo status-board
is "$(sed -n '2,4p' "$T/shown" | sort | tr '\n' ,)" "evaluate: running,report: waiting,train: done," "status-board: what is now"
is "$(tail -n6 "$T/shown" | tail -n1)" "evaluate	running" "and what happened"
nothing_left status-board
finish
