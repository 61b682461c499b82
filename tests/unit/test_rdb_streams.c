/* Streams in each of their three encodings, with consumer groups, made by hand from the format; and what contradicts itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/rdb_rows.h"

/* Sixteen bytes, the high ones first: 258-1, 259-0 */
#define RAW_258_1 "\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\1"
#define RAW_259_0 "\0\0\0\0\0\0\1\3\0\0\0\0\0\0\0\0"
/* As two lengths */
#define ID_0     "\x00\x00"
#define ID_258_1 "\x41\x02\x01"
#define ID_259_0 "\x41\x03\x00"
#define ID_260_4 "\x41\x04\x04"
#define ID_260_5 "\x41\x04\x05"
#define ID_260_7 "\x41\x04\x07"
/* Eight bytes, the low ones first: NOW, and from there on */
#define NOW_PLUS(ms) ms "\x68\xe5\xcf\x8b\x01\x00\x00"
#define NEVER        "\xff\xff\xff\xff\xff\xff\xff\xff"
#define UNKNOWN      "\x81" NEVER

/* Master 258-1: two live, one deleted, one field, f. Then 258-1 with its fields, 259-0 deleted (its sequence counts
 * down), and 260-5 with fields of its own. */
#define NODE                                                                                       \
	"\x10" RAW_258_1 "\x3e\x3e\x00\x00\x00\x18\x00"                                            \
	"\x02\x01\x01\x01\x01\x01\x81"                                                             \
	"f\x02\x00\x01"                                                                            \
	"\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01"                                                \
	"\x03\x01\x01\x01\xdf\xff\x02\x81x\x02\x04\x01"                                            \
	"\x00\x01\x02\x01\x04\x01\x02\x01\x81"                                                     \
	"a\x02\x01\x01\x81"                                                                        \
	"b\x02\xc0\xc8\x02\x08\x01\xff"
#define ENTRIES "s stream 258-1 f=v 260-5 a=1 b=200"

/* Length, last; from the second encoding on: first, highest deleted, ever added */
#define INFO_1 "\x02" ID_260_7
#define INFO_2 INFO_1 ID_258_1 ID_260_7 "\x05"

/* Pending: id, delivered, how often */
#define PENDING_TWO "\x02" RAW_258_1 NOW_PLUS("\x05") "\x03" RAW_259_0 NOW_PLUS("\x09") "\x41\x00"
/* Of consumers: name, seen (active), what is pending there */
#define ANN_2                                                                                      \
	"\x03"                                                                                     \
	"ann" NOW_PLUS("\x10") "\x01" RAW_258_1
#define BOB_2                                                                                      \
	"\x03"                                                                                     \
	"bob" NOW_PLUS("\x20") "\x01" RAW_259_0
#define ANN_3                                                                                      \
	"\x03"                                                                                     \
	"ann" NOW_PLUS("\x10") NOW_PLUS("\x0b") "\x01" RAW_258_1
#define BOB_3                                                                                      \
	"\x03"                                                                                     \
	"bob" NOW_PLUS("\x20") NEVER "\x01" RAW_259_0
#define PENDING_SAID_A " (258-1 3 +5)"
#define PENDING_SAID_B " (259-0 256 +9)"

#define STREAM_2(rest) "\x13\x01s\x01" NODE INFO_2 rest

static const struct row streams[] = {
	ROW("a stream without groups", 9, "\x0f\x01s\x01" NODE INFO_1 "\x00",
	    ENTRIES " | 2 of 2 258-1 260-7 0-0;"),
	ROW("the first encoding knows of a group where it is; the rest is reckoned", 9,
	    "\x0f\x01s\x01" NODE INFO_1 "\x02\x01g" ID_258_1 PENDING_TWO "\x02" ANN_2 BOB_2
	    "\x01h" ID_0 "\x00\x00",
	    ENTRIES " | 2 of 2 258-1 260-7 0-0"
		    " group g at 258-1 read 1 ann +16 +16" PENDING_SAID_A
		    " bob +32 +32" PENDING_SAID_B " group h at 0-0 read 0;"),
	ROW("the second knows what was added and deleted, and how much was read", 10,
	    STREAM_2("\x03\x01g" ID_258_1 "\x01" PENDING_TWO "\x02" ANN_2 BOB_2 "\x01h" ID_0 UNKNOWN
		     "\x00\x00\x01i" ID_260_7 "\x05\x00\x01\x03"
		     "ann" NOW_PLUS("\x00") "\x00"),
	    ENTRIES " | 2 of 5 258-1 260-7 260-7"
		    " group g at 258-1 read 1 ann +16 +16" PENDING_SAID_A
		    " bob +32 +32" PENDING_SAID_B
		    " group h at 0-0 read -1 group i at 260-7 read 5 ann +0 +0;"),
	ROW("the third knows when a consumer last got something", 11,
	    "\x15\x01s\x01" NODE INFO_2 "\x01\x01g" ID_258_1 "\x01" PENDING_TWO "\x02" ANN_3 BOB_3,
	    ENTRIES " | 2 of 5 258-1 260-7 260-7"
		    " group g at 258-1 read 1 ann +16 +11" PENDING_SAID_A
		    " bob +32 never" PENDING_SAID_B ";"),
	ROW("an empty stream is a key", 9, "\x0f\x01s\x00\x00" ID_260_7 "\x00",
	    "s stream | 0 of 0 0-0 260-7 0-0;"),
	ROW("in the others too", 11,
	    "\x13\x01s\x00\x00" ID_260_7 ID_0 ID_260_5 "\x03\x00"
	    "\x15\x01t\x00\x00" ID_260_7 ID_0 ID_260_5 "\x03\x00",
	    "s stream | 0 of 3 0-0 260-7 260-5;t stream | 0 of 3 0-0 260-7 260-5;"),
	ROW("the first id is found, not believed", 10,
	    "\x13\x01s\x01" NODE INFO_1 ID_260_4 ID_260_7 "\x05\x00",
	    ENTRIES " | 2 of 5 258-1 260-7 260-7;"),
	ROW("a node's name is an id", 9, "\x0f\x01s\x01\x0f" RAW_258_1,
	    "!a stream's node whose id has 15 bytes"),
	ROW("nodes come in order", 9, "\x0f\x01s\x02" NODE NODE INFO_1 "\x00",
	    "!a malformed stream node"),
	ROW("entries are as many as it says", 9, "\x0f\x01s\x01" NODE "\x03" ID_260_7 "\x00",
	    "!a stream that contradicts its entries"),
	ROW("none is above the last id", 9, "\x0f\x01s\x01" NODE "\x02" ID_260_4 "\x00",
	    "!a stream that contradicts its entries"),
	ROW("a group is there once", 10,
	    STREAM_2("\x02\x01g" ID_0 "\x00\x00\x00\x01g" ID_0 "\x00\x00\x00"),
	    "!a stream has a group twice"),
	ROW("a consumer is there once", 10,
	    STREAM_2("\x01\x01g" ID_258_1 "\x01" PENDING_TWO "\x02" ANN_2 ANN_2),
	    "!a group has a consumer twice"),
	ROW("an entry is pending once", 10,
	    STREAM_2("\x01\x01g" ID_258_1 "\x01\x02" RAW_258_1 NOW_PLUS(
		    "\x05") "\x01" RAW_258_1 NOW_PLUS("\x05") "\x01\x00"),
	    "!an entry is pending twice in a group"),
	ROW("what is pending at a consumer is in its group", 10,
	    STREAM_2("\x01\x01g" ID_258_1 "\x01\x00\x01" ANN_2),
	    "!an entry pending at a consumer but not in its group"),
	ROW("at one alone", 10,
	    STREAM_2("\x01\x01g" ID_258_1 "\x01" PENDING_TWO "\x03" ANN_2 BOB_2 "\x03"
		     "cat" NOW_PLUS("\x00") "\x01" RAW_258_1),
	    "!an entry pending at a consumer and another"),
	ROW("and at one", 10, STREAM_2("\x01\x01g" ID_258_1 "\x01" PENDING_TWO "\x01" ANN_2),
	    "!an entry is pending at no consumer"),
};

static void streams_of_every_encoding_are_read(void **state)
{
	(void)state;
	CHECK_ROWS(streams);
}

int main(void)
{
	static const uint8_t seed[16] = {1};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_of_every_encoding_are_read),
	};

	keyhash_seed(seed);
	mem_thread_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
