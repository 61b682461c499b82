#!/bin/bash
# --mount-user: the mount may do what its ACL user may, no more.
. "$(dirname "$0")/lib.sh"

# What fails, and with which words.
fails() { # WORDS NAME COMMAND...
	words=$1 name=$2
	shift 2
	if out=$(bash -c "$*" 2>&1); then out="no error"; fi
	case $out in *"$words"*) out=$words ;; esac
	is "$out" "$words" "$name"
}

printf 'user default on nopass ~* &* +@all\nuser files off resetchannels &news ~app:* %%R~ro:* +@all -@dangerous -flushall\n' >"$T/users.acl"
try_start --mount-user nobody 9<&- && echo "not ok a mount without its user starts" && exit 1
is "$(grep -c "there is no user 'nobody'" "$T/log")" 1 "a user that is not there is said at start"
start --aclfile "$T/users.acl" --mount-user files

R set app:a 1 >/dev/null
R set ro:b two >/dev/null
R set secret s >/dev/null
R rpush ro:l x y >/dev/null
is "$(R client list | grep -c 'user=files')" 1 "the mount is listed with its user"
is "$(cat "$M/string/app:a")" 1 "what is allowed is read"
echo 5 >"$M/string/app:a"
is "$(R get app:a)" 5 "and written"
is "$(cat "$M/string/ro:b" "$M/list/ro:l" | tr '\n' ' ')" "twox y " "what may be read only is read"
fails "Permission denied" "but not written" "echo 3 >'$M/string/ro:b'"
fails "Permission denied" "nor appended to" "echo 3 >>'$M/list/ro:l'"
fails "Permission denied" "nor removed" "rm '$M/string/ro:b'"
is "$(R get ro:b; R lrange ro:l 0 -1 | tr '\n' ' ')" "two
x y " "and is as it was"
fails "Permission denied" "what is not allowed is not read" "cat '$M/string/secret'"
fails "Permission denied" "nor made" "echo x >'$M/string/other'"
fails "Permission denied" "nor a hash made by mkdir and a field" "mkdir '$M/hash.d/other' && echo x >'$M/hash.d/other/f'"
fails "Permission denied" "nor reached by renaming" "mv '$M/string/app:a' '$M/string/other'"
is "$(R exists other secret app:a)" 2 "nothing came of it"
is "$(ls "$M/string" | tr '\n' ' ')" "app:a ro:b secret " "names are listed, as SCAN lists them"

# the other doors of the mount
fails "Permission denied" "a channel that is not allowed is not heard" "timeout 5 head -1 '$M/pubsub/other'"
fails "Permission denied" "nor published to" "echo x >'$M/pubsub/other'"
echo hello >"$M/pubsub/news"
is "$?" 0 "the allowed one is"
R rpush app:q job >/dev/null
is "$(timeout 5 head -1 "$M/queue/app:q")" job "an allowed queue gives"
fails "Permission denied" "another does not" "timeout 5 head -1 '$M/queue/ro:l'"
fails "Permission denied" "the configuration is not read" "cat '$M/server/config/maxmemory'"
fails "Permission denied" "nor written" "echo 1mb >'$M/server/config/maxmemory'"
is "$(R llen ro:l; R config get maxmemory | tail -1)" "2
0" "nothing came of that either"

# ctl
exec 3<>"$M/ctl"
echo "ACL WHOAMI" >&3
read -r line <&3
is "$line" files "a ctl file is the same user"
echo "GET secret" >&3
read -r line <&3
is "$line" "NOPERM No permissions to access a key" "with the same rights"
echo "RESET" >&3
read -r line <&3
echo "ACL WHOAMI" >&3
read -r line <&3
is "$line" files "RESET does not leave it"
echo "ACL SETUSER files allkeys" >&3
read -r line <&3
is "$line" "NOPERM User files has no permissions to run the 'acl|setuser' command" "and it may not give itself more"
exec 3<&-

# rights that change
R acl setuser files '~secret' >/dev/null
is "$(cat "$M/string/secret")" s "new rights hold at once"
R acl setuser files resetkeys '~app:*' >/dev/null
fails "Permission denied" "and so do lost ones" "cat '$M/string/secret'"
R acl setuser files '~secret' >/dev/null
stat "$M/string/secret" "$M/string/secret" >/dev/null
ls -l "$M/string" >/dev/null 2>&1
fails "no error" "what may be seen is" "stat '$M/string/secret'"
R acl setuser files resetkeys '~app:*' >/dev/null
fails "Permission denied" "and is not when the right to it is lost, though the kernel knew it" "stat '$M/string/secret'"
R acl deluser files >/dev/null
fails "Permission denied" "without its user the mount may do nothing" "cat '$M/string/app:a'"
fails "Permission denied" "not even as the default user" "cat '$M/string/secret'"
R acl setuser files '~*' +@all >/dev/null
is "$(cat "$M/string/secret")" s "when the user is back, so is the mount"

finish
