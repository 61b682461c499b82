/* store/persist/rdb_format.h - the numbers of the RDB format, as its readers and writers have used them since version 1.
 *
 * A file: "REDIS", four digits of version, records, RDB_OP_EOF, and from version 5 on eight bytes of CRC-64 over all before them.
 */
#ifndef STORE_PERSIST_RDB_FORMAT_H
#define STORE_PERSIST_RDB_FORMAT_H

#include <stdint.h>

#define RDB_VERSION_READ    12 /* the newest that is read */
#define RDB_VERSION_WRITE   10 /* the lowest that holds what is written, */
#define RDB_VERSION_STREAMS 11 /* unless consumers have two times, */
#define RDB_VERSION_TIMES   12 /* or it has fields that expire */
#define RDB_HEADER          9

enum rdb_op {
	RDB_OP_SLOT_INFO = 244,
	RDB_OP_FUNCTION2 = 245,
	RDB_OP_FUNCTION_PRE_GA = 246,
	RDB_OP_MODULE_AUX = 247,
	RDB_OP_IDLE = 248,
	RDB_OP_FREQ = 249,
	RDB_OP_AUX = 250,
	RDB_OP_RESIZEDB = 251,
	RDB_OP_EXPIRE_MS = 252,
	RDB_OP_EXPIRE = 253,
	RDB_OP_SELECTDB = 254,
	RDB_OP_EOF = 255,
};

enum rdb_type {
	RDB_STRING = 0,
	RDB_LIST = 1,
	RDB_SET = 2,
	RDB_ZSET = 3, /* scores as text */
	RDB_HASH = 4,
	RDB_ZSET_2 = 5, /* scores as doubles */
	RDB_MODULE_PRE_GA = 6,
	RDB_MODULE_2 = 7,
	RDB_HASH_ZIPMAP = 9,
	RDB_LIST_ZIPLIST = 10,
	RDB_SET_INTSET = 11,
	RDB_ZSET_ZIPLIST = 12,
	RDB_HASH_ZIPLIST = 13,
	RDB_LIST_QUICKLIST = 14, /* of ziplists */
	RDB_STREAM = 15,
	RDB_HASH_LISTPACK = 16,
	RDB_ZSET_LISTPACK = 17,
	RDB_LIST_QUICKLIST_2 = 18, /* of listpacks and plain elements */
	RDB_STREAM_2 = 19,
	RDB_SET_LISTPACK = 20,
	RDB_STREAM_3 = 21,
	RDB_HASH_METADATA_PRE_GA =
		22, /* 24 without the earliest expiry; expiries count from the epoch */
	RDB_HASH_LISTPACK_EX_PRE_GA = 23, /* 25 without the earliest expiry */
	/* 8 bytes of earliest expiry, number of fields, and of each: expiry (0 for none, else from the earliest on, plus 1), field, value */
	RDB_HASH_METADATA = 24,
	/* 8 bytes of earliest expiry, listpack of field, value, expiry (0 for none), ordered by that, those without at the end */
	RDB_HASH_LISTPACK_EX = 25,
};

/* No field expires later than this. */
#define RDB_FIELD_EXPIRY_MAX ((INT64_C(1) << 48) - 1)

/* A length's first two bits; the last says that a special string follows. */
enum rdb_len { RDB_LEN_6 = 0, RDB_LEN_14 = 1, RDB_LEN_LONG = 2, RDB_LEN_SPECIAL = 3 };
#define RDB_LEN_32 0x80
#define RDB_LEN_64 0x81

enum rdb_special { RDB_INT8 = 0, RDB_INT16 = 1, RDB_INT32 = 2, RDB_LZF = 3 };

/* A node of RDB_LIST_QUICKLIST_2. */
enum rdb_node { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 };

/* What stands in a module's data. */
enum rdb_module_op {
	RDB_MODULE_EOF = 0,
	RDB_MODULE_SINT = 1,
	RDB_MODULE_UINT = 2,
	RDB_MODULE_FLOAT = 3,
	RDB_MODULE_DOUBLE = 4,
	RDB_MODULE_STRING = 5,
};

#endif
