"""Lua's numbers are doubles, and its libraries take them for less: what a script makes of those that do not fit."""
import pytest

LEAST_INT, MOST_INT = -(1 << 31), (1 << 31) - 1


def evaluate(conn, script):
    reply = conn.call("EVAL", f"return {script}", 0)
    return reply.error.split(" script: ")[0] if reply.error else reply.plain()


def test_levels_and_protocols_of_scripts_are_small_numbers(conn):
    for number in ("1e300", "-1e300", "0/0", "1/0", "2^31", "-2^63", "2^32+3"):
        for call, said in (("log", ", 'x'"), ("setresp", ""), ("set_repl", "")):
            assert conn.call("EVAL", f"return redis.{call}({number}{said})", 0).error, f"{call}({number})"


@pytest.mark.parametrize("args, said", [
    (f"1, {LEAST_INT}", b"00000001"), (f"255, {1 << 31}", b"000000FF"), (f"0xdeadbeef, {LEAST_INT + 1}", b"DEADBEEF"), ("0xdeadbeef, -3", b"EEF"), ("0xdeadbeef", b"deadbeef"),
    (f"1, {MOST_INT}", b"00000001"), ("-1, 0", b""), ("0/0", b"00000000"), ("1e300, 2.7", b"59c"), ("'12', '4'", b"000c"),
    ("1, nil", "ERR user_script:1: bad argument #2 to 'tohex' (number expected, got nil)"), ("", "ERR user_script:1: bad argument #1 to 'tohex' (number expected, got no value)"),
])
def test_tohex_writes_eight_digits_at_most(conn, args, said):
    assert evaluate(conn, f"bit.tohex({args})") == said


@pytest.mark.parametrize("args, said", [
    *((f"{{1, 2}}, {span}", "ERR user_script:1: too many results to unpack") for span in (f"{LEAST_INT}, {MOST_INT}", f"{LEAST_INT + 2}, {MOST_INT}", f"-1, {MOST_INT}", "1, 1e5")),
    ("{1, 2, 3}, 2", [2, 3]), ("{1, 2, 3}, nil, 2", [1, 2]), (f"{{1}}, {MOST_INT}, {MOST_INT}", []), (f"{{1}}, {LEAST_INT}, {LEAST_INT}", []), ("{1, 2}, 5, 2", []), ("{1, 2}, 1, 7900", [1, 2]),
    ("1", "ERR user_script:1: bad argument #1 to 'unpack' (table expected, got number)"),
])
def test_unpack_counts_its_results(conn, args, said):
    assert evaluate(conn, f"{{unpack({args})}}") == said


def test_a_pattern_is_not_matched_deeper_than_there_is_stack(conn):
    for call in ("find(%s, %s)", "match(%s, %s)", "gsub(%s, %s, '')", "gmatch(%s, %s)()"):
        script = "string." + call % ("string.rep('a', 400000)", "string.rep('a?', 400000)")
        assert evaluate(conn, script) == "ERR user_script:1: pattern too complex", call
        assert conn.call("EVAL", "return #" + script.replace("400000", "10000").replace("string.find", "'' .. string.find"), 0).error is None, call
    plain = "string.find(string.rep('+', 20000), string.rep('+', 20000), %s)"
    assert evaluate(conn, plain % "1, true") == 1
    assert evaluate(conn, plain % "1").endswith("pattern too complex")
    assert evaluate(conn, "('x'):find()") == "ERR user_script:1: bad argument #1 to 'find' (string expected, got no value)"
    assert evaluate(conn, "{string.gsub('abc', '%w', '<%0>', 2)}") == [b"<a><b>c", 2]


def test_a_chunk_is_named_by_a_string_that_the_collector_leaves(conn):
    """Names that nothing else holds: cut at a zero byte, made while the parser makes garbage."""
    code = "string.rep('local t = {\"' .. i .. '\"} ', 150) .. ' x ='"
    script = f"local n = 0 for i = 1, 300 do collectgarbage('step', 0) local f, e = loadstring({code}, '=name' .. i .. '\\0more') " \
        "if not f and e:find('name' .. i .. ':1:', 1, true) then n = n + 1 end end return n"
    assert conn.do("EVAL", script, 0) == 300


@pytest.mark.parametrize("number, bits", [("1e300", 0), ("2^64", 0), ("2^63", 1 << 63), ("-1e300", 1 << 63), ("0/0", 1 << 63), ("-1", (1 << 64) - 1)])
def test_struct_packs_what_the_reference_makes_of_a_number_that_is_too_large(conn, number, bits):
    assert evaluate(conn, f"struct.pack('>L', {number})") == bits.to_bytes(8, "big")
