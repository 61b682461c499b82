#!/bin/bash
# server/: what the server tells of itself, its configuration, saving.
. "$(dirname "$0")/lib.sh"
start --enable-debug-command local

is "$(ls "$M/server" | tr '\n' ,)" clients,config,info,metrics,save,slowlog,stats, "what there is"
ok "info/ has INFO's sections" test -f "$M/server/info/memory" -a -f "$M/server/info/commandstats" -a -f "$M/server/info/keyspace"
is "$(sed -n 's/^redis_version://p' "$M/server/info/server")" "$(R info server | tr -d '\r' | sed -n 's/^redis_version://p')" "each is its text"
is "$(tr -dc '\r' <"$M/server/info/server")" "" "with plain line ends"
is "$(cat "$M/server/info/"* | grep -c '^# ')" "$(R info everything | grep -c '^# ')" "all sections"
ok "INFO's other words are names, too" grep -q '^# Keyspace\|^# CPU' "$M/server/info/all"
error "No such file" "others are not" cat "$M/server/info/nothing"
error "No such file" "and a name has one form" cat "$M/server/info/Memory"
error "ermi" "it is not written" bash -c "echo x >'$M/server/info/memory'"

is "$(cat "$M/server/config/maxmemory-policy")" noeviction "config/NAME is the value"
echo 123456789 >"$M/server/config/maxmemory"
is "$(R config get maxmemory | tail -n1)" 123456789 "writing sets it"
echo 100mb >"$M/server/config/maxmemory"
is "$(cat "$M/server/config/maxmemory")" 104857600 "units too"
error "Invalid argument" "a bad value is refused" bash -c "echo lots >'$M/server/config/maxmemory'"
ok "and the reason is in stats" grep -q "mount_last_error:ERR CONFIG SET failed" "$M/server/stats"
echo "3600 1 60 100" >"$M/server/config/save"
is "$(R config get save | tail -n1)" "3600 1 60 100" "several words"
echo >"$M/server/config/save"
is "$(R config get save | tail -n1)" "" "none"
error "No such file" "a pattern is no name" cat "$M/server/config/max*"
error "No such file" "nor is what there is not" cat "$M/server/config/nothing"
is "$(ls "$M/server/config" | sort | tr '\n' ,)" "$(R --json config get '*' | python3 -c 'import json,sys; print(",".join(sorted(json.load(sys.stdin))), end=",")')" "all names are listed"
cat "$M/server/config/"* >/dev/null
pass "and can be read"
echo 0 >"$M/server/config/maxmemory"

is "$(grep -c 'name=mount ' "$M/server/clients")" 1 "clients is CLIENT LIST"
R config set slowlog-log-slower-than 0 >/dev/null
R set "a key" "two
lines" >/dev/null
R config set slowlog-log-slower-than 10000 >/dev/null
ok "slowlog has a line an entry" grep -qP "^\d+\t\d+\t\d+\t.*\tset a key \\$'two\\\\nlines'$" "$M/server/slowlog"
is "$(sed -n 's/^mount_open_files://p' "$M/server/stats")" 1 "stats: open files"
is "$(sed -n 's/^mount_point://p' "$M/server/stats")" "$M" "and more"
R set "$(head -c 5000 /dev/zero | tr '\0' k)" v >/dev/null
ls "$M/string" >/dev/null
is "$(sed -n 's/^mount_names_too_long://p' "$M/server/stats")" 1 "names that are too long to be listed"

# Prometheus
R -n 3 set three v ex 100 >/dev/null
R nosuch >/dev/null 2>&1
python3 - "$M/server/metrics" <<'PY' && pass "metrics are Prometheus's text" || fail "metrics are Prometheus's text"
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n")
families, seen, current, help_of = {}, set(), None, None
for line in text.splitlines():
    m = re.fullmatch(r"# HELP (redis_[a-z0-9_]+) (.+)", line)
    if m:
        help_of = m[1]
        continue
    m = re.fullmatch(r"# TYPE (redis_[a-z0-9_]+) (gauge|counter)", line)
    if m:
        assert m[1] == help_of and m[1] not in families, line
        current = m[1]
        families[current] = {}
        continue
    m = re.fullmatch(r'(redis_[a-z0-9_]+)((?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})?) (-?[0-9.e+-]+)', line)
    assert m and m[1] == current, line
    assert (m[1], m[2]) not in seen, line
    seen.add((m[1], m[2]))
    families[current][m[2]] = float(m[3])
def one(name, labels=""):
    return families["redis_" + name][labels]
assert one("up") == 1
assert one("connected_clients") >= 0
assert one("memory_used_bytes") > 100000
assert one("commands_processed_total") > 10
assert one("commands_total", '{cmd="set"}') >= 2
assert one("commands_duration_seconds_total", '{cmd="set"}') >= 0
assert one("db_keys", '{db="db0"}') == 2
assert one("db_keys_expiring", '{db="db3"}') == 1
assert one("db_avg_ttl_seconds", '{db="db3"}') >= 0
assert one("errors_total", '{err="ERR"}') >= 1
assert one("slowlog_length") >= 1
assert one("rdb_last_bgsave_status") == 1
assert 'redis_version="7.2.4"' in list(families["redis_instance_info"])[0]
assert all(families.values()), "a family without samples"
PY
is "$(stat -c %s "$M/server/info/server" | tr -d '\n' | grep -c '^[1-9]')" 1 "sizes are not 0, for tools that trust them"

# saving
before=$(cat "$M/server/save")
is "$before" "$(R lastsave)" "save tells when it was last saved"
echo 1 >"$M/server/save"
until [ "$(R info persistence | tr -d '\r' | sed -n 's/rdb_bgsave_in_progress://p')" = 0 ]; do :; done
ok "and saves" test -f "$T/d/dump.rdb"
error "Invalid argument" "only for a 1" bash -c "echo 2 >'$M/server/save'"
python3 - "$T/sock" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
f = s.makefile("rwb")
f.write(b"DEBUG POPULATE 200000\r\nCONFIG SET rdb-key-save-delay 1000\r\n"); f.flush()
f.readline(); f.readline()
PY
echo 1 >"$M/server/save"
error "Device or resource busy" "one at a time" bash -c "echo 1 >'$M/server/save'"
R config set rdb-key-save-delay 0 >/dev/null
error "ermi" "nothing is made" touch "$M/server/new"
error "ermi" "or removed" rm "$M/server/stats"
is "$(ls "$M/db/2/server" "$M/raw/server" | grep -c metrics)" 2 "it is in every database and below raw/"
stop
start --mount-options ro
error "Read-only" "-o ro" bash -c "echo 1 >'$M/server/config/maxmemory'"
R rpush taken 1 >/dev/null
error "Read-only" "-o ro: reading a queue would take" cat "$M/queue/taken"
is "$(R llen taken)" 1 "so it does not"
finish
