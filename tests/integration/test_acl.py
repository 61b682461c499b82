"""Users and what they may do: ACL, AUTH, the ACL file and the user lines of the configuration."""
import os
import random
import re
import subprocess
import time

import pytest

import servers
from resp import Closed
from shapes import FAMILIES, Args, expand, read_shape

SEED = os.environ.get("ACL_SEED", "1")
NO_KEY = "NOPERM No permissions to access a key"
NO_CHANNEL = "NOPERM No permissions to access a channel"
EMPTY_HASH = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def no_command(user, name):
    return f"NOPERM User {user} has no permissions to run the '{name}' command"


def user(admin, name, *rules):
    assert admin.do("ACL", "SETUSER", name, "reset", "on", "nopass", *rules) == b"OK"


def as_user(server, name, password="x"):
    c = server.conn()
    assert c.do("AUTH", name, password) == b"OK"
    return c


def getuser(c, name):
    flat = c.do("ACL", "GETUSER", name)
    return dict(zip(flat[::2], flat[1::2]))


def commands(c, name="u"):
    return getuser(c, name)[b"commands"].decode()


def log(c, *args):
    return [dict(zip(e[::2], e[1::2])) for e in c.do("ACL", "LOG", *args)]


# --- rules ---


@pytest.mark.parametrize("rules, shown", [
    ("+@all -@hash -@slow +hget", "+@all -@hash -@slow +hget"),
    ("+@all -@hash -@slow +hget -@hash", "+@all -@slow +hget -@hash"),
    ("+@all -@hash -@slow +hget +@hash", "+@all -@slow +hget +@hash"),
    ("-@all +@HASH +@hash +@HaSh", "-@all +@hash"),
    ("-@all +HGET +hget +hGeT", "-@all +hget"),
    ("-@all +@hash +@slow +@set +@set +@slow +@hash", "-@all +@set +@slow +@hash"),
    ("-@all +hget -hset +hset -hget", "-@all +hset -hget"),
    ("-@all +client|list +client|list +config|get +config +acl|list -acl", "-@all +client|list +config -acl"),
    ("-@all +select|0 +select|0 +debug|segfault +debug", "-@all +select|0 +debug"),
    ("-@all +config +config|get -config|set +config", "-@all +config"),
    ("-@all -@dangerous", "-@all -@dangerous"),
    ("+get +set nocommands", "-@all"),
    ("+get allcommands", "+@all"),
    ("+SELECT|0 +Select|1", "-@all +select|0 +select|1"),
])
def test_command_rules_are_shown_in_their_order_without_what_later_ones_replace(conn, rules, shown):
    conn.do("ACL", "SETUSER", "u", *rules.split())
    assert commands(conn) == shown


def test_a_refused_rule_changes_nothing(conn):
    conn.do("ACL", "SETUSER", "u", "on", ">p", "+get", "~a*", "(+set ~b)")
    before = conn.do("ACL", "LIST")
    for bad in ("junk", "+nosuch", "+@nosuch", "%X~a", "%R", "%~a", "(+nosuch)", "(on)", "(+get ~a", "<other", "#zz", "~with blank", "+config|get|x", "+client|nosuch", "+client|"):
        assert conn.call("ACL", "SETUSER", "u", "off", "resetpass", "-get", "clearselectors", bad).error
    assert conn.do("ACL", "LIST") == before
    assert conn.call("ACL", "SETUSER", "u", "(+get", "(+set", "(+del", ")").error == "ERR Error in ACL SETUSER modifier '(+get (+set (+del )': Syntax error"
    assert conn.call("ACL", "SETUSER", "with blank").error == "ERR Usernames can't contain spaces or null characters"
    assert conn.do("ACL", "GETUSER", "with blank") is None


def test_what_getuser_and_list_show(conn):
    conn.do("ACL", "SETUSER", "u", "on", ">p", "#" + "a" * 64, "~a", "%R~b", "%W~b", "%W~c", "&x", "+get", "skip-sanitize-payload", "(+set", "%R~k", "&*)", "()")
    u = getuser(conn, "u")
    assert u[b"flags"] == [b"on", b"skip-sanitize-payload"]
    assert u[b"passwords"] == [b"148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940", b"a" * 64]
    assert (u[b"commands"], u[b"keys"], u[b"channels"]) == (b"-@all +get", b"~a ~b %W~c", b"&x")
    assert u[b"selectors"] == [[b"commands", b"-@all +set", b"keys", b"%R~k", b"channels", b"&*"], [b"commands", b"-@all", b"keys", b"", b"channels", b""]]
    assert conn.do("ACL", "LIST")[0] == b"user default on nopass sanitize-payload ~* &* +@all"
    assert conn.do("ACL", "LIST")[1].endswith(b" ~a ~b %W~c resetchannels &x -@all +get (%R~k &* -@all +set) (resetchannels -@all)")
    assert conn.call("HELLO", 3).tree[0] == "%"
    reply = conn.call("ACL", "GETUSER", "u").tree
    assert reply[0] == "%" and reply[1][1][0] == "~"


def test_new_users_may_use_the_channels_that_acl_pubsub_default_says(start):
    s = start("--acl-pubsub-default", "allchannels")
    with s.conn() as c:
        c.do("ACL", "SETUSER", "u", "(+get)")
        assert getuser(c, "u")[b"channels"] == b"&*"
        assert c.do("CONFIG", "SET", "acl-pubsub-default", "resetchannels") == b"OK"
        c.do("ACL", "SETUSER", "u", "reset")
        assert getuser(c, "u")[b"channels"] == b""


# --- who is it ---


def test_passwords(server, conn):
    conn.do("ACL", "SETUSER", "u", "on", ">one", ">two", "+@all", "~*")
    for password in ("one", "two"):
        as_user(server, "u", password).close()
    with server.conn() as c:
        for bad in ("three", "", "one\0", "ONE", "x" * 1000):
            assert c.call("AUTH", "u", bad).error == "WRONGPASS invalid username-password pair or user is disabled."
        conn.do("ACL", "SETUSER", "u", "<one")
        assert c.call("AUTH", "u", "one").error
        conn.do("ACL", "SETUSER", "u", "off")
        assert c.call("AUTH", "u", "two").error
        conn.do("ACL", "SETUSER", "u", "on", "nopass")
        assert getuser(conn, "u")[b"passwords"] == []
        assert c.do("AUTH", "u", "anything") == b"OK"
        conn.do("ACL", "SETUSER", "u", ">")
        assert getuser(conn, "u")[b"passwords"] == [EMPTY_HASH] and getuser(conn, "u")[b"flags"] == [b"on", b"sanitize-payload"]
        assert c.do("HELLO", 3, "AUTH", "u", "")[0] == b"server"
        assert c.do("ACL", "WHOAMI") == b"u"
        assert c.do("RESET") == b"RESET"
        assert c.do("ACL", "WHOAMI") == b"default"


def test_requirepass_is_the_default_users_password(server, conn):
    assert conn.do("CONFIG", "SET", "requirepass", "one") == b"OK"
    assert conn.do("PING") == b"PONG"  # who is in stays in
    with server.conn() as c:
        assert c.call("PING").error == "NOAUTH Authentication required."
        assert c.call("HELLO", 3).error.startswith("NOAUTH HELLO must be called")
        assert c.do("AUTH", "one") == b"OK"
    conn.do("ACL", "SETUSER", "default", ">two")
    assert conn.do("CONFIG", "GET", "requirepass") == [b"requirepass", b"one"]
    for password in ("one", "two"):
        as_user(server, "default", password).close()
    conn.do("CONFIG", "SET", "requirepass", "three")
    with server.conn() as c:
        assert c.call("AUTH", "two").error
        conn.do("CONFIG", "SET", "requirepass", "")
        assert c.do("PING") == b"PONG"
        assert getuser(conn, "default")[b"flags"] == [b"on", b"nopass", b"sanitize-payload"]
        conn.do("ACL", "SETUSER", "default", "resetpass")
        assert c.call("PING").error == "NOAUTH Authentication required."
        conn.do("ACL", "SETUSER", "default", "nopass", "off")
        assert c.call("PING").error == "NOAUTH Authentication required."
        conn.do("ACL", "SETUSER", "default", "on")
        assert c.do("PING") == b"PONG"


def test_a_user_that_goes_takes_its_connections_along(server, conn):
    user(conn, "u", "+@all", "~*")
    a, b, m = as_user(server, "u"), as_user(server, "u"), as_user(server, "u")
    m.do("MULTI")
    m.do("SET", "k", "v")
    assert conn.do("ACL", "DELUSER", "nobody", "u", "u") == 1
    for c in (a, b, m):
        assert c.closed_by_server()
    user(conn, "u", "+@all", "~*")
    with as_user(server, "u") as c:
        assert c.do("ACL", "DELUSER", "u") == 1  # its own: told, then closed
        assert c.closed_by_server()
    assert conn.do("EXISTS", "k") == 0
    assert conn.call("ACL", "DELUSER", "u", "default").error == "ERR The 'default' user cannot be removed"


# --- commands and keys ---


def test_commands_subcommands_and_first_arguments(server, conn):
    user(conn, "u", "~*", "+client|id", "+config", "-config|set", "+select|0", "+@string", "-strlen", "+acl|whoami")
    with as_user(server, "u") as c:
        assert c.do("CLIENT", "ID") > 0
        assert c.call("CLIENT", "LIST").error == no_command("u", "client|list")
        assert c.do("CONFIG", "GET", "port")
        assert c.call("CONFIG", "SET", "port", "1").error == no_command("u", "config|set")
        assert c.do("SELECT", "0") == b"OK"
        assert c.call("SELECT", "1").error == no_command("u", "select")
        assert c.do("SET", "a", "1") == b"OK"
        assert c.call("STRLEN", "a").error == no_command("u", "strlen")
        assert c.call("PING").error == no_command("u", "ping")
        assert c.call("NOSUCH").error.startswith("ERR unknown command")
        assert c.call("GET").error.startswith("ERR wrong number")
        assert c.do("AUTH", "u", "x") == b"OK"  # before a login anybody may
        assert c.do("HELLO")[0] == b"server"


def test_keys_by_what_is_done_with_them(server, conn):
    user(conn, "u", "+@all", "%R~r*", "%W~w*", "~b*")
    conn.do("MSET", "r", "1", "w", "2", "b", "3", "n", "4")
    with as_user(server, "u") as c:
        assert c.do("GET", "r") == b"1"
        assert c.do("SET", "w", "5") == b"OK"
        assert c.do("EXISTS", "r", "w", "b") == 3  # neither reads nor writes
        assert c.do("COPY", "r", "w1") == 1
        assert c.do("BITFIELD", "r", "GET", "u8", "0") == [49]
        assert c.do("BITFIELD_RO", "r", "GET", "u8", "0") == [49]
        for call in (["GET", "w"], ["SET", "r", "x"], ["SET", "w", "x", "GET"], ["GETDEL", "w"], ["APPEND", "n", "x"], ["MGET", "r", "n"], ["DEL", "w", "r"], ["COPY", "w", "b1"],
                     ["RENAME", "r", "b1"], ["BITFIELD", "r", "SET", "u8", "0", "1"], ["BITFIELD", "w", "SET", "u8", "0", "1"], ["SUNIONSTORE", "w", "n"], ["SORT", "r", "STORE", "r2"], ["EXISTS", "n"],
                     ["XREAD", "STREAMS", "r", "n", "0", "0"], ["ZUNION", "2", "r", "n"], ["GEORADIUS", "r", "0", "0", "1", "m", "STORE", "n"], ["EXPIRE", "r", "1"], ["WATCH", "n"]):
            assert c.call(*call).error == NO_KEY, call
        assert b"n" in c.do("KEYS", "*")  # as in Redis, names are no secret to who may list
    assert conn.do("MGET", "r", "w", "b", "n") == [b"1", b"5", b"3", b"4"]


def test_one_selector_has_to_allow_all_of_a_call(server, conn):
    user(conn, "u", "+get", "~a*", "(+set ~b*)", "(+@all ~c* -flushall)")
    with as_user(server, "u") as c:
        assert c.do("GET", "a") is None
        assert c.call("SET", "a", "1").error == NO_KEY
        assert c.do("SET", "b", "1") == b"OK"
        assert c.call("GET", "b").error == NO_KEY
        assert c.call("MGET", "a", "b").error == NO_KEY
        assert c.do("MSET", "c1", "1", "c2", "2") == b"OK"
        assert c.call("FLUSHALL").error == no_command("u", "flushall")
    conn.do("ACL", "SETUSER", "u", "clearselectors")
    assert conn.do("ACL", "DRYRUN", "u", "SET", "b", "1") == b"User u has no permissions to run the 'set' command"
    assert conn.do("ACL", "DRYRUN", "u", "GET", "b") == b"User u has no permissions to access the 'b' key"
    assert conn.do("ACL", "DRYRUN", "u", "GET", "a") == b"OK"


def test_sort_looks_up_only_for_who_may_read_all(server, conn):
    conn.do("RPUSH", "l", "1", "2")
    user(conn, "u", "+@all", "~l*")
    with as_user(server, "u") as c:
        assert c.do("SORT", "l", "BY", "nosort") == [b"1", b"2"]
        assert c.call("SORT", "l", "BY", "w_*").error == "ERR BY option of SORT denied due to insufficient ACL permissions."
        assert c.call("SORT_RO", "l", "GET", "v_*").error == "ERR GET option of SORT denied due to insufficient ACL permissions."
        conn.do("ACL", "SETUSER", "u", "(+sort %R~*)")
        assert c.do("SORT", "l", "BY", "w_*", "GET", "#") == [b"1", b"2"]
        assert c.call("SORT_RO", "l", "GET", "v_*").error


def test_a_restricted_user_changes_and_reads_nothing_whatever_it_sends(server, conn):
    """Calls of every shape there is, by a user with all commands and a pattern that no key has."""
    rng = random.Random(f"{SEED}/restricted")
    user(conn, "u", "+@all", "-@dangerous", "-@admin", "-@connection", "-@blocking", "-@pubsub", "-@transaction", "-@scripting", "~zzz*")
    conn.do("CONFIG", "SET", "hash-max-listpack-entries", "5")
    for family in ("string", "list", "set", "hash", "zset", "keys"):
        args = Args(rng)
        for _ in range(60):
            conn.call(*expand(read_shape(rng.choice(FAMILIES[family])), args))
        conn.do("SELECT", "0")
    before = conn.do("DEBUG", "DIGEST")
    shapes = [read_shape(s) for f in FAMILIES for s in FAMILIES[f] if f not in ("acl", "config", "connection", "transaction", "pubsub")]
    with as_user(server, "u") as c:
        for _ in range(20):
            args = Args(rng)
            calls = [expand(rng.choice(shapes), args) for _ in range(200)]
            for call in calls:
                c.send(*call)
            for call in calls:
                c.read()
    assert conn.do("DEBUG", "DIGEST") == before


# --- channels ---


def test_channels(server, conn):
    user(conn, "u", "+@all", "~*", "resetchannels", "&news.*", "&one")
    with as_user(server, "u") as c, as_user(server, "u") as p:
        assert p.do("PUBLISH", "news.a", "x") == 0
        assert p.call("PUBLISH", "other", "x").error == NO_CHANNEL
        assert p.call("SPUBLISH", "other", "x").error == NO_CHANNEL
        assert p.call("SUBSCRIBE", "one", "two").error == NO_CHANNEL
        assert p.call("SSUBSCRIBE", "two").error == NO_CHANNEL
        assert p.call("PSUBSCRIBE", "news.a*").error == NO_CHANNEL  # patterns have to be the same
        assert p.do("UNSUBSCRIBE", "two") == [b"unsubscribe", b"two", 0]
        assert c.do("PSUBSCRIBE", "news.*")[0] == b"psubscribe"
        assert c.do("SUBSCRIBE", "one")[0] == b"subscribe"
        conn.do("PUBLISH", "news.b", "y")
        assert c.read().plain() == [b"pmessage", b"news.*", b"news.b", b"y"]


def test_listeners_that_lose_a_channel_are_closed(server, conn):
    user(conn, "u", "+@all", "&a", "&b*")
    kept, lost, pattern, shard, idle = (as_user(server, "u") for _ in range(5))
    kept.do("SUBSCRIBE", "a")
    lost.do("SUBSCRIBE", "b1")
    pattern.do("PSUBSCRIBE", "b*")
    shard.do("SSUBSCRIBE", "b2")
    conn.do("ACL", "SETUSER", "u", "(&c)")  # more: nobody has to go
    conn.do("ACL", "SETUSER", "u", "resetchannels", "&a", "&b1*")
    assert pattern.closed_by_server() and shard.closed_by_server()
    conn.do("PUBLISH", "b1", "x")
    assert lost.read().plain() == [b"message", b"b1", b"x"]
    conn.do("ACL", "SETUSER", "u", "resetchannels", "&a")
    assert lost.closed_by_server()
    assert idle.do("PING") == b"PONG"
    assert kept.do("PING") == [b"pong", b""]


# --- transactions and waiting ---


def test_a_transaction_is_refused_when_it_is_queued_and_again_when_it_runs(server, conn):
    user(conn, "u", "+@all", "~a*")
    with as_user(server, "u") as c:
        c.do("MULTI")
        assert c.call("GET", "b").error == NO_KEY
        assert c.call("EXEC").error == "EXECABORT Transaction discarded because of previous errors."
        c.do("MULTI")
        for call in (["SET", "a", "1"], ["SET", "a2", "2"], ["PUBLISH", "x", "y"], ["PING"]):
            assert c.call(*call).raw in (b"+QUEUED\r\n", b"-NOPERM No permissions to access a channel\r\n")
        c.do("DISCARD")
        conn.do("ACL", "SETUSER", "u", "&*")
        c.do("MULTI")
        for call in (["SET", "a", "1"], ["SET", "b2", "2"][:1] + ["a2", "2"], ["PUBLISH", "x", "y"], ["PING"]):
            assert c.do(*call) == b"QUEUED"
        conn.do("ACL", "SETUSER", "u", "-ping", "resetkeys", "~a", "resetchannels")
        got = c.call("EXEC").tree[1]
        changed = b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: "
        assert got == [("+", b"OK"), ("-", changed + b"no permission to touch the specified keys"),
                       ("-", changed + b"no permission to access one of the channels used as arguments to the command"),
                       ("-", changed + b"no permission to execute the command or subcommand")]
        assert [e[b"context"] for e in log(conn)[:3]] == [b"multi"] * 3
        c.do("MULTI")
        c.do("SET", "a", "2")
        conn.do("ACL", "SETUSER", "u", "-exec")
        assert c.call("EXEC").error == "EXECABORT Transaction discarded because of: " + no_command("u", "exec")
    assert conn.do("MGET", "a", "a2") == [b"1", None]


def test_who_waits_is_asked_again_when_there_is_something(server, conn):
    user(conn, "u", "+@all", "~l*")
    with as_user(server, "u") as a, as_user(server, "u") as b:
        a.send("BLPOP", "l1", "0")
        b.send("BLPOP", "l2", "0")
        while int(server.info(conn)["blocked_clients"]) < 2:
            time.sleep(0.01)
        conn.do("ACL", "SETUSER", "u", "resetkeys", "~l2")
        conn.do("RPUSH", "l1", "x")
        assert a.read().error == NO_KEY
        assert a.do("PING") == b"PONG"
        conn.do("ACL", "SETUSER", "u", "-blpop")
        conn.do("RPUSH", "l2", "x")
        assert b.read().error == no_command("u", "blpop")
        assert conn.do("LRANGE", "l1", "0", "-1") + conn.do("LRANGE", "l2", "0", "-1") == [b"x", b"x"]
        assert int(server.info(conn)["blocked_clients"]) == 0


# --- ACL LOG ---


def test_the_log_tells_what_was_refused_and_counts_what_is_alike(server, conn):
    user(conn, "u", "+get", "+multi", "+publish", "+exec", "+discard", "~a*")
    begun = int(time.time() * 1000) - 1000
    with as_user(server, "u") as c:
        for call in (["GET", "b"], ["GET", "b"], ["SET", "a", "1"], ["PUBLISH", "ch", "x"], ["CLIENT", "ID"], ["auth", "u2", "secret"], ["MULTI"], ["GET", "b"], ["DISCARD"], ["GET", "b"]):
            c.call(*call)
        entries = log(conn)
        said = [(e[b"count"], e[b"reason"], e[b"context"], e[b"object"], e[b"username"]) for e in entries]
        assert said == [(3, b"key", b"toplevel", b"b", b"u"), (1, b"key", b"multi", b"b", b"u"), (1, b"auth", b"toplevel", b"auth", b"u2"), (1, b"command", b"toplevel", b"client|id", b"u"),
                        (1, b"channel", b"toplevel", b"ch", b"u"), (1, b"command", b"toplevel", b"set", b"u")]
        assert [e[b"entry-id"] for e in entries] == [0, 5, 4, 3, 2, 1]
        for e in entries:
            assert 0 <= float(e[b"age-seconds"]) < 10
            assert begun <= e[b"timestamp-created"] <= e[b"timestamp-last-updated"]
            assert re.match(rb"id=\d+ addr=127.0.0.1:\d+ .* user=u ", e[b"client-info"])
        assert b" cmd=get " in entries[0][b"client-info"]
        info = server.info(conn)
        assert [info["acl_access_denied_" + w] for w in ("auth", "cmd", "key", "channel")] == ["1", "2", "4", "1"]
        assert [e[b"entry-id"] for e in log(conn, 2)] == [0, 5]
        assert conn.do("ACL", "LOG", "0") == [] and conn.do("ACL", "LOG", "-5") == []
        conn.do("CONFIG", "SET", "acllog-max-len", "2")
        assert [e[b"entry-id"] for e in log(conn, 100)] == [0, 5]
        assert conn.do("ACL", "LOG", "reset") == b"OK"
        assert log(conn) == []
        for i in range(5):
            c.call("GET", f"b{i}")
        assert [(e[b"object"], e[b"entry-id"]) for e in log(conn)] == [(b"b4", 10), (b"b3", 9)]
        conn.do("CONFIG", "SET", "acllog-max-len", "0")
        c.call("GET", "b")
        assert log(conn) == []
        conn.call("HELLO", 3)
        conn.do("CONFIG", "SET", "acllog-max-len", "5")
        c.call("GET", "b")
        kind, fields = conn.call("ACL", "LOG").tree[1][0]
        assert kind == "%" and fields[11][0] == ","


# --- the ACL file ---


def acl_file(tmp_path, *lines):
    path = tmp_path / "users.acl"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_the_file_is_loaded_saved_and_loaded_again(start, tmp_path):
    path = acl_file(tmp_path, "user default on nopass ~* &* +@all", "", "  user alice on >secret ~a* +@read (+set  ~b*) \t", "user bob off", "user carol on nopass +@all ~* &*")
    s = start("--aclfile", path)
    with s.conn() as c:
        assert c.do("ACL", "USERS") == [b"alice", b"bob", b"carol", b"default"]
        alice, bob, carol = as_user(s, "alice", "secret"), None, as_user(s, "carol")
        carol.do("SUBSCRIBE", "ch")
        c.do("ACL", "SETUSER", "alice", "+del", "%W~c")
        c.do("ACL", "SETUSER", "dave", "on")
        assert c.do("ACL", "SAVE") == b"OK"
        saved = path.read_text()
        assert saved == "".join(line.decode() + "\n" for line in c.do("ACL", "LIST"))
        assert [f for f in os.listdir(tmp_path) if "acl" in f] == ["users.acl"]
        before = c.do("ACL", "LIST")
        c.do("ACL", "SETUSER", "alice", "reset")
        c.do("ACL", "DELUSER", "bob", "dave")
        c.do("ACL", "SETUSER", "eve", "on", "nopass")
        eve = as_user(s, "eve")
        assert c.do("ACL", "LOAD") == b"OK"
        assert c.do("ACL", "LIST") == before
        assert eve.closed_by_server()
        assert alice.do("GET", "a") is None  # goes on, with the rights of now
        assert carol.do("PING") == [b"pong", b""]
        path.write_text("user alice on nopass\nuser carol on nopass &other\n")
        assert c.do("ACL", "LOAD") == b"OK"
        assert c.do("ACL", "LIST")[-1] == b"user default on nopass sanitize-payload ~* &* +@all"
        assert carol.closed_by_server()
        assert alice.call("GET", "a").error == no_command("alice", "get")


BAD_FILES = [
    "foo bar\n", "user\n", "user a b c\n", "user a on\n\nuser a off\n", "user a +nope\nuser b %X~\nuser c (+get\n", "user a \"on\n", "user a  on\tx\n", "user a #zz\n", "# comment\n",
    "user a +nope b +nope2 c\n", "user a\tb on\n", "user a on (+get ~a) (+nope)\n", "user a ~* ~a &* &b <x !aa\n", "  user a on +config|get|x  \r\n", "USER a on\n", "user a +client|nope\n\n\nuser b on)\n",
    "user default +nope\n", "user a (on)\nuser a (>x)\nuser b +@nope\n", "user  a on\n", "user a on\nfoo\nuser b off\nuser b on\n",
]


@pytest.mark.parametrize("text", BAD_FILES)
def test_what_is_wrong_with_a_file_is_told_as_redis_does(aclpair, text):
    replies = []
    for s, path in aclpair:
        path.write_text(text)
        with s.conn() as c:
            before = c.do("ACL", "LIST")
            replies.append(c.call("ACL", "LOAD").error.replace(str(path), "FILE"))
            assert c.do("ACL", "LIST") == before
    assert replies[0] == replies[1]


@pytest.fixture(scope="module")
def aclpair(tmp_path_factory):
    """Inodis and redis-server, each with a file: [(server, path)]."""
    if not servers.redis_binary("/tmp"):
        pytest.skip("no redis-server here")
    out = []
    for kind in ("inodis", "redis"):
        path = tmp_path_factory.mktemp(kind) / "users.acl"
        path.write_text("user default on nopass ~* &* +@all\n")
        out.append((servers.Server(kind=kind, args=("--aclfile", path)), path))
    yield out
    for s, _ in out:
        s.stop()
        s.discard()


def hostile_file(rng):
    """Lines of good rules with damage: bytes changed, cut, doubled, joined."""
    args = Args(rng)
    lines = []
    for i in range(rng.choice((1, 2, 3, 8))):
        words = [b"user", rng.choice((b"default", b"a", b"b", b"u%d" % i))]
        for _ in range(rng.choice((0, 1, 3, 6))):
            made = args.aclrule()
            words += made if isinstance(made, list) else [made]
        lines.append(b" ".join(words))
    text = bytearray(b"\n".join(lines) + rng.choice((b"", b"\n", b"\r\n")))
    for _ in range(rng.choice((0, 0, 1, 1, 3, 10))):
        at = rng.randrange(len(text))
        way = rng.random()
        if way < 0.4:
            text[at] = rng.choice(b"\n \t\r\"'()~&%+-|@#!<>a\x01\xff")
        elif way < 0.6:
            del text[at : at + rng.randrange(1, 6)]
        else:
            text[at:at] = bytes(rng.choice(b"\n \"()~&+@| x\x02") for _ in range(rng.randrange(1, 4)))
        if not text:
            text = bytearray(b"user")
    return bytes(text)


def test_hostile_files_are_loaded_or_refused_as_by_redis(aclpair):
    rng = random.Random(f"{SEED}/files")
    conns = [s.conn() for s, _ in aclpair]
    for i in range(600):
        text = hostile_file(rng).replace(b"\r", b"").replace(b"user default", b"user other") + b"\nuser default on nopass ~* &* +@all\n"
        # What 7.0 has otherwise, or wrong: quotes that do not close, %R without ~, openers inside openers, and it may not survive one that is never closed.
        odd = b"'" in text or b'"' in text or b"%" in text and not re.search(rb"%[RWrw]+~", text) or b"%R " in text or any(line.count(b"(") > 1 or (b"(" in line and b")" not in line.split(b"(")[1]) for line in text.split(b"\n"))
        replies = []
        for (_, path), c in list(zip(aclpair, conns))[: 1 if odd else 2]:
            path.write_bytes(text)
            try:
                replies.append(c.call("ACL", "LOAD"))
            except Closed:
                assert c is conns[1]
        if odd:
            continue
        if len(replies) < 2:  # 7.0 does not survive every file
            s, path = aclpair[1]
            path.write_text("user default on nopass ~* &* +@all\n")
            s.stop()
            s.start()
            conns[1] = s.conn()
            continue
        a, b = ((r.error or "").replace(str(path), "FILE") for r, (_, path) in zip(replies, aclpair))
        assert a == b, (i, text)
        if not a:
            assert conns[0].do("ACL", "USERS") == conns[1].do("ACL", "USERS"), (i, text)
    for (_, path), c in zip(aclpair, conns):
        path.write_bytes(bytes(rng.randrange(256) for _ in range(100000)))
        assert c.call("ACL", "LOAD").error
        path.write_text("user default on nopass ~* &* +@all\n")
        assert c.do("ACL", "LOAD") == b"OK"
        c.close()


def test_a_file_that_cannot_be_used_is_an_error_at_start_and_at_load(start, tmp_path):
    path = acl_file(tmp_path, "user default on nopass ~* &* +@all")
    s = start("--aclfile", path)
    with s.conn() as c:
        path.unlink()
        assert c.call("ACL", "LOAD").error == f"ERR Error loading ACLs, opening file '{path}': No such file or directory"
        assert c.do("ACL", "SAVE") == b"OK" and path.exists()
    none = start()
    with none.conn() as c:
        for word in ("LOAD", "SAVE"):
            assert c.call("ACL", word).error.startswith("ERR This Redis instance is not configured to use an ACL file.")
    for lines, words in ((["user a zz"], "Aborting Redis startup because of ACL errors: "), (["x"], "should start with user keyword followed by the username. ")):
        text = run_to_the_end("--aclfile", acl_file(tmp_path, *lines))
        assert words in text


def run_to_the_end(*args):
    """A server that must not start; its output."""
    p = subprocess.run([servers.inodis_binary(), *map(str, args), "--port", str(servers.free_port()), "--save", ""], capture_output=True, timeout=30, check=False)
    assert p.returncode == 1
    return (p.stdout + p.stderr).decode("latin1")


# --- the configuration ---


def test_user_lines_of_the_configuration_are_read_and_rewritten(start):
    s = start(conf=["# users", "user alice on >p1 ~a* +@all -@dangerous (+get ~b)", "maxclients 100", 'user bob on nopass "(+set ~c*)"', "requirepass old", "user default on >new ~* &* +@all"])
    with s.conn() as c:
        assert c.call("AUTH", "old").error
        assert c.do("AUTH", "new") == b"OK"
        assert c.do("CONFIG", "GET", "requirepass") == [b"requirepass", b"old"]
        assert getuser(c, "bob")[b"selectors"][0][1] == b"-@all +set"
        c.do("ACL", "SETUSER", "alice", "+flushall")
        c.do("ACL", "SETUSER", "carol", "on")
        c.do("ACL", "DELUSER", "bob")
        lines = [line.decode() for line in c.do("ACL", "LIST")]
        assert c.do("CONFIG", "REWRITE") == b"OK"
    with open(s.conf) as f:
        text = f.read()
    assert [line for line in text.splitlines() if line.startswith("user ")] == lines
    assert text.startswith("# users\nuser alice ")
    s.stop()
    s.start(wait=True)
    with s.conn() as c:
        c.do("AUTH", "new")
        assert [line.decode() for line in c.do("ACL", "LIST")] == lines


def test_wrong_users_of_a_configuration_end_the_start(tmp_path):
    conf = tmp_path / "c.conf"
    for lines, words in (
        ("user a on\nuser a off", "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files"),
        ("user a junk", "Error in user declaration 'junk': Syntax error"),
        ("user a +nope", "Error in user declaration '+nope': Unknown command or category name in ACL"),
        ('user "a b" on', "Spaces not allowed in ACL usernames"),
        ("user a on\naclfile /nowhere", "please define either an ACL file or declare users directly in your redis.conf, but not both."),
    ):
        conf.write_text(lines + "\n")
        assert words in run_to_the_end(conf)


def test_the_log_of_changes_is_loaded_whatever_the_default_user_may(start, tmp_path):
    s = start("--appendonly", "yes", folder=tmp_path)
    with s.conn() as c:
        c.do("SET", "a", "1")
        c.do("RPUSH", "l", "x")
    s.stop()
    s = start("--appendonly", "yes", folder=tmp_path, conf=["user default off resetkeys -@all", "user admin on nopass ~* +@all"])
    with as_user(s, "admin") as c:
        assert c.do("GET", "a") == b"1" and c.do("LLEN", "l") == 1


# --- against redis-server: what rules mean ---


def test_rules_mean_what_they_mean_to_redis(pair):
    """The same rules to both; then what Inodis shows of the user is given to redis-server under another name, which must show
    both alike. 7.0 works out the shortest rules for the same rights, so this compares rights."""
    rng = random.Random(f"{SEED}/rules")
    mine, theirs = (s.conn() for s in pair)
    names = sorted(set(theirs.do("COMMAND", "LIST")) & set(mine.do("COMMAND", "LIST")))
    args = Args(rng)
    refused = 0
    for i in range(400):
        rules = []
        for _ in range(rng.choice((1, 2, 4, 8))):
            if rng.random() < 0.3:
                rules.append(rng.choice((b"+", b"-")) + rng.choice(names))
            else:
                made = args.aclrule()
                rules += made if isinstance(made, list) else [made]
        a, b = (c.call("ACL", "SETUSER", "u", *rules) for c in (mine, theirs))
        assert a.raw == b.raw, (i, rules)
        if a.error:
            refused += 1
            continue
        line = next(line for line in mine.do("ACL", "LIST") if line.startswith(b"user u "))
        rules_shown = line.split(b" ")[2:]
        theirs.do("ACL", "SETUSER", "shown", "reset", *rules_shown)
        shown, given = getuser(theirs, "shown"), getuser(theirs, "u")
        for u in (shown, given):
            u[b"flags"] = [f for f in u[b"flags"] if f != b"sanitize-payload"]
            if b"~*" in u[b"keys"].split():
                u[b"keys"] = b"~*"  # by %RW~*, which reads back as allkeys
        assert shown == given, (i, rules, line)
        if rng.random() < 0.2:
            for c in (mine, theirs):
                c.do("ACL", "DELUSER", "u")
    assert refused < 200
    for c in (mine, theirs):
        c.close()


def test_every_category_has_the_commands_that_it_has_in_redis(pair):
    mine, theirs = (s.conn() for s in pair)
    known = set(theirs.do("COMMAND", "LIST")) & set(mine.do("COMMAND", "LIST"))
    assert b"acl|setuser" in known
    assert mine.do("ACL", "CAT") == theirs.do("ACL", "CAT")
    for category in theirs.do("ACL", "CAT"):
        a, b = (set(c.do("ACL", "CAT", category)) & known for c in (mine, theirs))
        assert a ^ b <= {b"wait"}, category  # 7.2 says that WAIT blocks
    for c in (mine, theirs):
        c.close()


def test_keys_of_calls_and_what_is_done_with_them_are_those_of_redis(pair):
    rng = random.Random(f"{SEED}/keys")
    mine, theirs = (s.conn() for s in pair)
    known = set(theirs.do("COMMAND", "LIST")) & set(mine.do("COMMAND", "LIST"))
    for c in (mine, theirs):
        c.do("ACL", "SETUSER", "t", "reset", "+@all", "%R~*", "%W~[a-m]*", "-flushall")
    shapes = [read_shape(s) for f in FAMILIES for s in FAMILIES[f] if f != "acl"]
    for _ in range(4000):
        call = expand(rng.choice(shapes), Args(rng))
        full = b"|".join(w.lower() for w in call[:2])
        if (call[0].upper() == b"PFMERGE" and len(call) == 2) or b"0" in call[1:3]:
            continue  # where Redis finds no keys, since others are missing, those that are there are checked here
        if call[0].lower() not in known or (call[0].upper() in (b"CLIENT", b"CLUSTER") and full not in known):
            continue
        a, b = (c.call("ACL", "DRYRUN", "t", *call) for c in (mine, theirs))
        if a.error is not None and b.error is not None:
            continue  # its words are the comparison run's
        assert a.plain().replace(b"User t", b"This user") == b.plain(), call
    for c in (mine, theirs):
        c.close()


def test_a_client_library_logs_in(server, conn):
    redis = pytest.importorskip("redis")
    user(conn, "app", "~app:*", "+@all", "-@dangerous")
    conn.do("ACL", "SETUSER", "app", "resetpass", ">secret")
    r = redis.Redis(port=server.port, username="app", password="secret")
    assert r.set("app:a", 1) and r.acl_whoami() in ("app", b"app")
    with pytest.raises(redis.exceptions.NoPermissionError):
        r.get("other")
    with pytest.raises(redis.exceptions.ResponseError):
        redis.Redis(port=server.port, username="app", password="wrong").ping()
    admin = redis.Redis(port=server.port)
    assert admin.acl_getuser("app")["categories"] == ["+@all", "-@dangerous"]
    assert admin.acl_log(count=1)[0]["username"] == "app"
    r.close()
    admin.close()
