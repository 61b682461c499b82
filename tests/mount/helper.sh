#!/bin/bash
# mount.inodis, called as mount(8) calls it; the server that it starts ends with its mount.
. "$(dirname "$0")/lib.sh"

mkdir "$T/bin" "$T/home" "$T/other"
ln -s "$INODIS" "$T/bin/inodis"
sed "s#@PREFIX@#$T/none#" "$here/../../mount-scripts/mount.inodis" >"$T/bin/mount.inodis"
helper() { (cd "$T/home" && PATH=$T/bin:$PATH sh "$T/bin/mount.inodis" "$@"); }
common=port=0,unixsocket=$T/sock,dir=$T/d,logfile=$T/log
gone() { for _ in $(seq 100); do [ -e "$T/sock" ] || return 0; sleep 0.05; done; return 1; }

ok "it mounts" helper none "$M" -o "rw,noexec,nosuid,nodev,umask=027,user,_netdev,x-systemd.after=y,$common"
is "$(stat -c %a "$M/string")" 750 "umask= goes to the mount"
echo 5 >"$M/string/n"
is "$(R incr n)" 6 "and the rest to the server"
umount "$M"
ok "umount ends the server" gone
ok "that saved first" test -s "$T/d/dump.rdb"
ok "so it mounts again" helper none "$M" -o "$common,mount_user=default"
is "$(cat "$M/string/n")" 6 "with the same keys"
umount "$M"
gone

printf 'mount %s\nport 0\nunixsocket %s\nsave ""\n' "$T/other" "$T/sock" >"$T/conf"
ok "a configuration file is read" helper "$T/conf" "$M" -o ro,db=2
is "$(grep -c "^inodis $T" /proc/self/mounts)" 1 "but mounted is where mount(8) says"
error "Read-only" "ro" bash -c "echo x >'$M/string/x'"
umount "$M"
gone
ok "a snapshot is looked into" helper none "$M" -o "rdb=$T/d/dump.rdb"
for _ in $(seq 100); do [ "$(cat "$M/string/n" 2>/dev/null)" != 6 ] || break; sleep 0.05; done
is "$(cat "$M/string/n")" 6 "through it"
umount "$M"
error "mount_user=" "user= with a name is mount(8)'s" helper none "$M" -o user=nobody-else
ok "-f mounts nothing" helper none "$M" -f -o "$common"
is "$(grep -c "^inodis $T" /proc/self/mounts)" 0 "nothing is left"
: >>"$T/log"
finish
