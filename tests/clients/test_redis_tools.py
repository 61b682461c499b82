"""redis-cli's modes that look at a server, and redis-benchmark, as Debian brings them."""
import subprocess

import pytest


@pytest.fixture
def cli(server):
    """cli(*words, given=b""): what redis-cli prints; it has to succeed."""
    def run(*words, given=b"", tool="redis-cli", timeout=60):
        p = subprocess.run([tool, "-p", str(server.port), *words], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        assert p.returncode == 0, p.stdout + p.stderr
        return p.stdout.decode("utf-8", "replace")
    return run


@pytest.fixture
def filled(server):
    with server.conn() as c:
        c.do("RPUSH", "biglist", *range(50))
        c.do("HSET", "bighash", "f", "x" * 5000)
        for i in range(30):
            c.do("SET", f"key:{i}", i)


def test_bigkeys_and_memkeys_name_the_biggest(cli, filled):
    text = cli("--bigkeys")
    assert "Biggest   list found '\"biglist\"' has 50 items" in text and "Sampled 32 keys in the keyspace!" in text
    text = cli("--memkeys")
    assert "Biggest   hash found '\"bighash\"' has" in text


def test_scan_prints_the_keys_of_a_pattern(cli, filled):
    assert sorted(cli("--scan", "--pattern", "key:*").split()) == sorted(f"key:{i}" for i in range(30))


def test_hotkeys_are_found_under_an_lfu_policy(cli, server, filled):
    with server.conn() as c:
        c.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        for _ in range(300):
            c.do("GET", "key:7")
    assert "hot key found with counter" in cli("--hotkeys") and "key:7" in cli("--hotkeys")


def test_pipe_inserts_in_bulk_and_counts_replies(cli, server):
    given = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\nk%d\r\n$1\r\nv\r\n" % (len(str(i)) + 1, i) for i in range(20000))
    assert "errors: 0, replies: 20000" in cli("--pipe", given=given)
    with server.conn() as c:
        assert c.do("DBSIZE") == 20000


def test_output_for_other_programs_and_input_from_them(cli, tmp_path):
    cli("-x", "SET", "in", given=b"from outside")
    assert cli("GET", "in") == "from outside\n"
    cli("RPUSH", "l", "a", 'b"c')
    assert cli("--csv", "LRANGE", "l", "0", "-1") == '"a","b\\"c"\n'
    cli("HSET", "h", "f", "v")
    assert cli("--json", "HGETALL", "h") == '{"f":"v"}\n'
    assert cli("-r", "3", "-i", "0.01", "INCR", "n").split() == ["1", "2", "3"]
    script = tmp_path / "s.lua"
    script.write_text("return redis.call('SET', KEYS[1], ARGV[1])")
    assert cli("--eval", str(script), "k", ",", "v") == "OK\n" and cli("GET", "k") == "v\n"


def test_passwords_and_users(cli):
    cli("CONFIG", "SET", "requirepass", "secret")
    assert "NOAUTH" in cli("PING")
    assert cli("-a", "secret", "--no-auth-warning", "PING") == "PONG\n"
    assert cli("--user", "default", "--pass", "secret", "--no-auth-warning", "PING") == "PONG\n"


@pytest.mark.parametrize("options", [(), ("-P", "16"), ("--threads", "2"), ("-r", "1000")], ids=" ".join)
def test_the_whole_default_set_of_redis_benchmark(cli, options):
    text = cli("-n", "200", "-c", "10", "--csv", *options, tool="redis-benchmark", timeout=100)
    rows = [line for line in text.splitlines() if line.startswith('"')]
    assert len(rows) >= 20 and "rror" not in text and not [row for row in rows[1:] if '"0.00"' == row.split(",")[1]]
