/* Files made by hand from the format: each row is one, what it holds or why it is refused; and each of its beginnings is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/persist/crc64.h"
#include "tests/unit/rdb_rows.h"

/* --- the frame --- */

#define KEY                                                                                        \
	"\x00\x01"                                                                                 \
	"a\x01x"

static void versions_1_to_12_are_read(void **state)
{
	char want[64];

	(void)state;
	for (unsigned version = 0; version < 120; version++) {
		struct row r = ROW("a version", version, KEY, "a embstr x;");
		if (version < 1 || version > 12) {
			snprintf(want, sizeof(want), "!Can't handle RDB format version %u",
				 version);
			r.want = want;
		}
		check_row(&r, false);
	}
	static const char *const heads[] = {"REDIS00x1", "REDIS-001", "REDIS 10", "REDIT0010",
					    "redis0010"};
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct keyspace *ks = fresh(false);
		struct rdb_in in;
		char file[32];
		snprintf(file, sizeof(file), "%s\xff", heads[i]);
		rdb_in_memory(&in, file, sizeof(file));
		assert_false(load(ks, &in));
		keyspace_free(ks);
	}
}

/* Whether a file of @version whose checksum is off by @off is loaded, by a reader that checks or does not. */
static bool summed(unsigned version, uint64_t off, bool none, bool check, const char **error)
{
	static struct rdb_in in;
	unsigned char file[64];
	size_t n = file_of(file, version, KEY, sizeof(KEY) - 1);
	uint64_t sum = none ? 0 : crc64(0, file, n - 8) + off;
	struct keyspace *ks = fresh(false);
	FILE *f = tmpfile();

	if (version >= 5)
		memcpy(file + n - 8, &sum, 8);
	assert_non_null(f);
	assert_int_equal(pwrite(fileno(f), file, n, 0), n);
	rdb_in_file(&in, fileno(f), n, check);
	bool ok = load(ks, &in);
	fclose(f);
	keyspace_free(ks);
	*error = in.error;
	return ok;
}

static void the_checksum_came_with_version_5_and_zero_is_none(void **state)
{
	const char *error;

	(void)state;
	for (unsigned version = 1; version <= 12; version++) {
		assert_true(summed(version, 0, false, true, &error));
		assert_true(summed(version, 0, true, true, &error));
		assert_true(summed(version, 1, false, false, &error));
		assert_int_equal(summed(version, 1, false, true, &error), version < 5);
		if (version >= 5)
			assert_non_null(strstr(error, "RDB CRC error"));
	}
}

/* --- records that are no keys --- */

#define MODULE "\x81\x00\x10\x83\x10\x51\x87\x20\x92" /* "ABCDEFGHI", version 146 */

static const struct row records[] = {
	ROW("an expiry in seconds has four bytes, low ones first", 1, "\xfd\x00\xf1\x53\x70" KEY,
	    "a embstr x @1884549376000;"),
	ROW("an expiry in milliseconds has eight", 3, "\xfc\x01\x68\xe5\xcf\x8b\x01\x00\x00" KEY,
	    "a embstr x @1700000000001;"),
	ROW("a key whose time has come is not loaded", 9,
	    "\xfc\xff\x67\xe5\xcf\x8b\x01\x00\x00" KEY "\xfd\x00\xf1\x53\x60\x00\x01"
	    "b\x01y",
	    ""),
	ROW("an expiry holds for one key alone", 9,
	    "\xfd\x00\xf1\x53\x70" KEY "\x00\x01"
	    "b\x01y",
	    "a embstr x @1884549376000;b embstr y;"),
	ROW("how long a key was idle is a length, in seconds, in any order with the expiry", 9,
	    "\xf8\x41\x00\xfd\x00\xf1\x53\x70" KEY "\xfd\x00\xf1\x53\x70\xf8\x0a\x00\x01"
	    "b\x01y\x00\x01"
	    "c\x01z",
	    "a embstr x @1884549376000 ~256;b embstr y @1884549376000 ~10;c embstr z;"),
	ROW("a frequency is one byte, and nothing where no frequencies are kept", 9, "\xf9\xff" KEY,
	    "a embstr x;"),
	ROW("databases are chosen by a length, their sizes are hints", 7,
	    "\xfe\x00\xfb\x01\x00" KEY "\xfe\x0f\xfb\x41\x00\x80\x00\x00\x00\x05" KEY,
	    "a embstr x;15 a embstr x;"),
	ROW("auxiliary fields that nobody knows are passed over", 7,
	    "\xfa\x09redis-ver\x05"
	    "7.2.4\xfa\x0aredis-bits\xc0\x40\xfa\x05"
	    "ctime\xc2\x00\xf1\x53\x65\xfa\x07no-such\x00" KEY,
	    "a embstr x;"),
	ROW("what a slot holds is a hint", 12, "\xf4\x41\x00\x01\x00" KEY, "a embstr x;"),
	ROW("data of a module is passed over, whatever is in it", 9,
	    "\xf7" MODULE "\x02\x02\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x02\x41\x00\x03"
	    "abcd\x04"
	    "12345678\x05\x02hi\x05\xc0\x07\x00" KEY,
	    "a embstr x;"),
	ROW("an unknown item in a module's data is an error", 9, "\xf7" MODULE "\x06\x00" KEY,
	    "!unknown item 6 in a module's data"),
	ROW("a value of a module is refused by name", 9, "\x07\x01m" MODULE "\x00",
	    "!module data I can't load: no matching module type 'ABCDEFGHI'"),
	ROW("one of the first modules' format too", 8, "\x06\x01m" MODULE "\x00",
	    "!module data I can't load: no matching module type 'ABCDEFGHI'"),
	ROW("functions of a release candidate are refused", 10,
	    "\xf6\x03lib\x03LUA\x00\x04"
	    "code",
	    "!Pre-release function format not supported."),
	ROW("no value has type 8", 9,
	    "\x08\x01"
	    "a\x00",
	    "!unknown value type 8"),
	ROW("nor 26", 12,
	    "\x1a\x01"
	    "a\x00",
	    "!unknown value type 26"),
	ROW("nor 243", 12,
	    "\xf3\x01"
	    "a\x00",
	    "!unknown value type 243"),
	ROW("a database that is not there is an error", 10, "\xfe\x10" KEY,
	    "!configured to handle more than 16 databases"),
	ROW("a key that is there twice is an error", 10, "\xfe\x03" KEY KEY,
	    "!RDB has duplicated key 'a' in DB 3"),
	ROW("an integer is no length", 10, "\xfe\xc0\x01" KEY, "!a length was expected"),
	ROW("a length begins in none but these ways", 10, "\xfe\x82\x00\x00\x00\x01" KEY,
	    "!unknown length encoding 130"),
	ROW("a string is encoded in none but four ways", 10,
	    "\x00\x01"
	    "a\xc4\x00",
	    "!unknown string encoding 4"),
	ROW("an empty file is one", 12, "", ""),
};

static void records_between_keys_are_read(void **state)
{
	(void)state;
	CHECK_ROWS(records);
}

static void frequencies_are_kept_where_the_policy_wants_them(void **state)
{
	static const struct row r = ROW("a frequency is one byte, not a length", 9,
					"\xf9\x4d" KEY "\xf8\x0a\xf9\xff\x00\x01"
					"b\x01y",
					"a embstr x ~77;b embstr y ~255;");

	(void)state;
	check_row(&r, true);
}

static void data_of_a_module_is_left_out_by_name(void **state)
{
	static const struct row r = ROW("aux", 9, "\xf7" MODULE "\x02\x02\x00", "");

	(void)state;
	check_row(&r, false);
	/* Of the last beginning that was tried. */
	struct keyspace *ks = fresh(false);
	unsigned char file[64];
	struct rdb_in in;
	rdb_in_memory(&in, file, file_of(file, 9, r.records, r.n));
	assert_true(load(ks, &in));
	assert_non_null(strstr(noted, "module 'ABCDEFGHI'"));
	keyspace_free(ks);
}

/* --- values --- */

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X254 X50 X50 X50 X50 X50 "xxxx"
#define X258 X254 "xxxx"

/* Integers of 2, 4, 8, 3, 1 bytes and of none, texts with lengths of 2, 4 and 1 bytes, a neighbour's length in five bytes, an empty text */
#define ZIPLIST                                                                                    \
	"\x40\x45\x45\x00\x00\x00\x42\x00\x00\x00\x0b\x00"                                         \
	"\x00\xc0\x00\x04"                                                                         \
	"\x04\xd0\x00\x00\x00\x80"                                                                 \
	"\x06\xe0\x00\x00\x00\x00\x00\x00\x00\x80"                                                 \
	"\x0a\xf0\xff\xff\xff"                                                                     \
	"\x05\xfe\x80"                                                                             \
	"\x03\xf1"                                                                                 \
	"\x02\xfd"                                                                                 \
	"\x02\x40\x03"                                                                             \
	"abc\x06\x80\x00\x00\x00\x03"                                                              \
	"def\xfe\x09\x00\x00\x00\x03ghi"                                                           \
	"\x09\x00\xff"
#define ZIPLIST_SAID                                                                               \
	" '1024' '-2147483648' '-9223372036854775808' '-1' '-128' '0' '12' 'abc' 'def' 'ghi' ''"
#define ZIPLIST_EMPTY "\x0b\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff"

/* Integers of 7, 13, 16, 24, 32 and 64 bits, texts with lengths of 6, 12 and 32 bits, an empty text */
#define LISTPACK                                                                                   \
	"\x3b\x3b\x00\x00\x00\x0a\x00"                                                             \
	"\x7f\x01"                                                                                 \
	"\xd0\x00\x02"                                                                             \
	"\xf1\x00\x80\x03"                                                                         \
	"\xf2\x00\x00\x80\x04"                                                                     \
	"\xf3\x00\x00\x00\x80\x05"                                                                 \
	"\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09"                                                 \
	"\x83"                                                                                     \
	"abc\x04\xe0\x03"                                                                          \
	"def\x05\xf0\x03\x00\x00\x00ghi\x08"                                                       \
	"\x80\x01\xff"
#define LISTPACK_SAID                                                                              \
	" '127' '-4096' '-32768' '-8388608' '-2147483648' '-9223372036854775808' 'abc' 'def' "     \
	"'ghi' ''"
#define LISTPACK_EMPTY "\x07\x07\x00\x00\x00\x00\x00\xff"

/* "a", 1024, "b", 3 and a, 1, b, 2 */
#define PAIRS_OLD                                                                                  \
	"\x17\x17\x00\x00\x00\x14\x00\x00\x00\x04\x00"                                             \
	"\x00\x01"                                                                                 \
	"a\x03\xc0\x00\x04\x04\x01"                                                                \
	"b\x03\xf4\xff"
#define PAIRS                                                                                      \
	"\x11\x11\x00\x00\x00\x04\x00\x81"                                                         \
	"a\x02\x01\x01\x81"                                                                        \
	"b\x02\x02\x01\xff"

static const struct row values[] = {
	ROW("integers stand with their low bytes first, in 8, 16 and 32 bits", 1,
	    "\x00\x01"
	    "a\xc0\x80\x00\x01"
	    "b\xc1\x02\x01\x00\x01"
	    "c\xc2\x04\x03\x02\x01\x00\x01"
	    "d\xc1\x00\x80",
	    "a int -128;b int 258;c int 16909060;d int -32768;"),
	ROW("lengths stand with their high bytes first, in 14, 32 and 64 bits", 1,
	    "\x00\x01"
	    "a\x41\x02" X258 "\x00\x80\x00\x00\x00\x01"
	    "b\x80\x00\x00\x01\x02" X258 "\x00\x81\x00\x00\x00\x00\x00\x00\x00\x01"
	    "c\x81\x00\x00\x00\x00\x00\x00\x01\x02" X258,
	    "a raw " X258 ";b raw " X258 ";c raw " X258 ";"),
	ROW("a length in more bytes than it needs is one", 6,
	    "\x00\x40\x01"
	    "a\x80\x00\x00\x00\x02hi",
	    "a embstr hi;"),
	ROW("names are compressed and integers as values are", 2,
	    "\x00\xc3\x02\x01\x00"
	    "a\xc3\x05\x19\x00x\xe0\x0f\x00",
	    "a embstr xxxxxxxxxxxxxxxxxxxxxxxxx;"),
	ROW("a compressed string that says another length is an error", 2,
	    "\x00\x01"
	    "a\xc3\x05\x1a\x00x\xe0\x0f\x00",
	    "!a compressed string is damaged"),
	ROW("a list, set and hash are their elements", 1,
	    "\x01\x01l\x03\x01x\xc0\x07\x00\x02\x01s\x02\x01x\xc0\x05\x04\x01h\x02\x01"
	    "f\x01v\xc0\x01\xc1\x00\x01",
	    "h listpack f=v 1=256;l listpack 'x' '7' '';s listpack 'x' '5';"),
	ROW("a set of integers is an intset, however it was written", 1,
	    "\x02\x01s\x02\xc0\x07\x01"
	    "5",
	    "s intset '5' '7';"),
	ROW("scores were texts once, with a byte for infinity", 1,
	    "\x03\x01z\x05\x01"
	    "a\x03"
	    "1.5\x01"
	    "b\xfe\x01"
	    "c\xff\x01"
	    "d\x17-1.0000000000000001e-05\x01"
	    "e\x12"
	    "123456789012345678",
	    "z listpack c:-inf d:-1.0000000000000001e-05 a:1.5 e:1.2345678901234568e+17 b:inf;"),
	ROW("and one for what is no number", 1,
	    "\x03\x01z\x01\x01"
	    "a\xfd",
	    "!a score is not a number"),
	ROW("a text that is none neither", 1,
	    "\x03\x01z\x01\x01"
	    "a\x02"
	    "1x",
	    "!a score is not a number"),
	ROW("scores are doubles, low bytes first", 8,
	    "\x05\x01z\x03\x01x\x00\x00\x00\x00\x00\x00\xf8\x3f\x01y\x00\x00\x00\x00\x00\x00\xf0"
	    "\xff"
	    "\x01z\x01\x00\x00\x00\x00\x00\x00\x00",
	    "z listpack y:-inf z:4.9406564584124654e-324 x:1.5;"),
	ROW("a double that is no number is refused", 8,
	    "\x05\x01z\x01\x01x\x00\x00\x00\x00\x00\x00\xf8\xff", "!a score is not a number"),
	ROW("a zipmap has long lengths behind a 254, and slack", 2,
	    "\x09\x01h\x41\x0a\x01\xfe\xfe\x00\x00\x00" X254 "\x02\x01hi.\xff",
	    "h hashtable " X254 "=hi;"),
	ROW("a zipmap with a field twice is an error", 2,
	    "\x09\x01h\x0c\x02\x01"
	    "a\x01\x00x\x01"
	    "a\x01\x00y\xff",
	    "!a hash has a field twice"),
	ROW("a ziplist has integers and texts of every width", 4, "\x0a\x01l" ZIPLIST,
	    "l listpack" ZIPLIST_SAID ";"),
	ROW("a quicklist was one of ziplists, some of them empty", 6,
	    "\x0e\x01l\x03" ZIPLIST_EMPTY ZIPLIST ZIPLIST_EMPTY, "l listpack" ZIPLIST_SAID ";"),
	ROW("hashes and sorted sets were ziplists", 4, "\x0d\x01h" PAIRS_OLD "\x0c\x01z" PAIRS_OLD,
	    "h listpack a=1024 b=3;z listpack b:3 a:1024;"),
	ROW("a quicklist is one of listpacks and long elements", 10,
	    "\x12\x01l\x03\x02" LISTPACK_EMPTY "\x02" LISTPACK "\x01\x01x",
	    "l listpack" LISTPACK_SAID " 'x';"),
	ROW("a list in one listpack is a listpack", 10, "\x12\x01l\x01\x02" LISTPACK,
	    "l listpack" LISTPACK_SAID ";"),
	ROW("hashes, sorted sets and sets are listpacks", 11,
	    "\x10\x01h" PAIRS "\x11\x01z" PAIRS "\x14\x01s" LISTPACK,
	    "h listpack a=1 b=2;s listpack" LISTPACK_SAID ";z listpack a:1 b:2;"),
	ROW("an intset has integers of 16, 32 or 64 bits", 2,
	    "\x0b\x01i\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x00\x80\x02\x01"
	    "\x0b\x01j\x0c\x04\x00\x00\x00\x01\x00\x00\x00\x04\x03\x02\x01"
	    "\x0b\x01k\x10\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80",
	    "i intset '-32768' '258';j intset '16909060';k intset '-9223372036854775808';"),
	ROW("what is packed may be compressed", 3,
	    "\x0b\x01i\xc3\x0d\x0c\x0b\x02\x00\x00\x00\x02\x00\x00\x00\x05\x00\x07\x00"
	    "\x10\x01h\xc3\x12\x11\x10\x11\x00\x00\x00\x04\x00\x81"
	    "a\x02\x01\x01\x81"
	    "b\x02\x02\x01\xff",
	    "h listpack a=1 b=2;i intset '5' '7';"),
	ROW("an intset out of order is an error", 2,
	    "\x0b\x01i\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x07\x00\x05\x00",
	    "!an intset is malformed"),
	ROW("what holds nothing is no key", 10,
	    "\x01\x01l\x00\x02\x01s\x00\x03\x01z\x00\x04\x01h\x00\x05\x01y\x00\x0e\x01m"
	    "\x01" ZIPLIST_EMPTY "\x12\x01n\x00\x10\x01o" LISTPACK_EMPTY
	    "\x09\x01p\x02\x00\xff\x0a\x01q" ZIPLIST_EMPTY,
	    ""),
	ROW("a member twice is an error in each encoding", 10, "\x02\x01s\x02\x01x\x01x",
	    "!a set has a member twice"),
	ROW("in a sorted set too", 10,
	    "\x05\x01z\x02\x01x\x00\x00\x00\x00\x00\x00\xf8\x3f\x01x\x00\x00\x00\x00\x00\x00\xf8"
	    "\x3f",
	    "!a sorted set has a member twice"),
	ROW("and in a hash", 10, "\x04\x01h\x02\x01x\x01y\x01x\x01z", "!a hash has a field twice"),
	ROW("fields with expiries, as before the release: from the epoch on", 12,
	    "\x16\x01h\x02\x81\x00\x00\x01\x8b\xcf\xe5\x68\x05\x01"
	    "f\x01v\x00\x01g\x01w",
	    "h listpackex f=v@1700000000005 g=w;"),
	ROW("a field whose time has come goes, and a hash with its last", 12,
	    "\x18\x01h\xfb\x67\xe5\xcf\x8b\x01\x00\x00\x01\x01\x01"
	    "f\x01v" KEY,
	    "a embstr x;"),
	ROW("a listpack with expiries is its earliest and triplets", 12,
	    "\x19\x01h\x05\x68\xe5\xcf\x8b\x01\x00\x00\x1d\x1d\x00\x00\x00\x06\x00\x81"
	    "a\x02\x01\x01\xf4\x05\x68\xe5\xcf\x8b\x01\x00\x00\x09\x81"
	    "b\x02\x02\x01\x00\x01\xff",
	    "h listpackex a=1@1700000000005 b=2;"),
};

static void values_of_every_encoding_are_read(void **state)
{
	(void)state;
	CHECK_ROWS(values);
}

int main(void)
{
	static const uint8_t seed[16] = {1};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_1_to_12_are_read),
		cmocka_unit_test(the_checksum_came_with_version_5_and_zero_is_none),
		cmocka_unit_test(records_between_keys_are_read),
		cmocka_unit_test(frequencies_are_kept_where_the_policy_wants_them),
		cmocka_unit_test(data_of_a_module_is_left_out_by_name),
		cmocka_unit_test(values_of_every_encoding_are_read),
	};

	keyhash_seed(seed);
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
