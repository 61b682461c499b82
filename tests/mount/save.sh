#!/bin/bash
# Saving beside a mount: the child holds nothing of it, what was saved comes back as files.
. "$(dirname "$0")/lib.sh"

wait_for() {
	for _ in $(seq 200); do
		eval "$1" && return 0
		sleep 0.05
	done
	return 1
}

start --enable-debug-command yes
printf hello >"$M/string/greeting"
printf 'a\nb\n' >"$M/list/lines"
R set number 5 >/dev/null
R debug populate 2000 >/dev/null
R config set rdb-key-save-delay 1000 >/dev/null
R bgsave >/dev/null
child=$(cat "/proc/$server/task/$server/children")
child=${child%% *}
ok "the child writes" wait_for 'ls -l /proc/$child/fd | grep -q temp-'
is "$(ls -l "/proc/$child/fd" | grep -c -e fuse -e socket -e epoll)" 0 "and keeps no descriptor of mount or sockets"
is "$(cat "$M/string/greeting")" hello "files are read meanwhile"
printf later >"$M/string/more"
is "$(R get more)" later "and written"
kill -9 "$server"
wait "$server" 2>/dev/null
server=
error "Transport endpoint is not connected" "a killed server's mount is dead at once, though the child lives" ls "$M"
ok "and can be taken away" umount "$M"
kill -9 "$child" 2>/dev/null
rm -f "$T"/d/temp-*

start --enable-debug-command yes
printf hello >"$M/string/greeting"
printf 'a\nb\n' >"$M/list/lines"
is "$(R save)" OK "SAVE"
stop
start
is "$(cat "$M/string/greeting")" hello "what was saved is there again"
is "$(cat "$M/list/lines")" "a
b" "of every type"
R debug reload >/dev/null
finish
