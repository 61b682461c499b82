/* DEBUG: how a single value is kept. */
#include <stdio.h>

#include "resp/commands/insight/debug.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/persist/rdb_save.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/listpack.h"
#include "store/types/set.h"
#include "store/types/zset.h"

/* The type in front of a payload, the version and the checksum behind it. */
#define PAYLOAD_FRAME (1 + 2 + 8)

uint64_t debug_subject(struct call *c)
{
	uint64_t word = keyspace_read(c->db, c->argv[2], KEYSPACE_NOTOUCH);
	if (!word)
		reply_error(c->reply, "ERR no such key");
	return word;
}

/* --- OBJECT --- */

/* What an RDB file would spend on the value. */
static size_t serialized_length(const struct server *s, uint64_t word)
{
	struct rdb_out o;
	rdb_out_init(&o, -1);
	o.compress = s->config.rdbcompression;
	rdb_dump(&o, word);
	size_t n = o.error || o.len < PAYLOAD_FRAME ? 0 : o.len - PAYLOAD_FRAME;
	rdb_out_fini(&o);
	return n;
}

static void walk_nodes(const struct list *l, size_t *nodes, size_t *total)
{
	const void *node = NULL;
	struct bytes bytes;
	bool plain;
	*nodes = *total = 0;
	for (; list_node_next(l, &node, &bytes, &plain); ++*nodes)
		*total += bytes.n;
}

static int list_figures(const struct server *s, const struct list *l, char *text, size_t n)
{
	size_t nodes, bytes;
	walk_nodes(l, &nodes, &bytes);
	return snprintf(text, n,
			" ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:0 "
			"ql_uncompressed_size:%zu",
			nodes, nodes ? (double)list_count(l) / (double)nodes : 0,
			s->config.limits.list_max_listpack_size, bytes);
}

void debug_object(struct call *c)
{
	uint64_t word = debug_subject(c);
	if (!word)
		return;
	bool fast = c->argc == 4 && bytes_is(c->argv[3], "fast");
	const char *encoding = entry_encoding(word);
	char text[512];
	int n = snprintf(text, sizeof(text), "Value at:%p refcount:1 encoding:%s",
			 (void *)word_ptr(word), encoding);
	if (!fast)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " serializedlength:%zu",
			      serialized_length(c->server, word));
	n += snprintf(text + n, sizeof(text) - (size_t)n, " lru:%u lru_seconds_idle:%u",
		      entry_lru(word), keyspace_idle_seconds(c->db->ks, word));
	if (word_type(word) == VALUE_LIST && strcmp(encoding, "quicklist") == 0)
		n += list_figures(c->server, entry_container(word), text + n,
				  sizeof(text) - (size_t)n);
	reply_status_bytes(c->reply, bytes_of(text, (size_t)n));
}

/* --- SDSLEN --- */

void debug_sdslen(struct call *c)
{
	uint64_t word = debug_subject(c);
	if (!word)
		return;
	if (word_type(word) != VALUE_STRING || strcmp(entry_encoding(word), "int") == 0) {
		reply_error(c->reply, "ERR Not an sds encoded string.");
		return;
	}
	size_t key = c->argv[2].n, len = entry_string_len(word);
	size_t whole = keyspace_entry_mem(word, 0), both = key + len;
	size_t spare = whole > both ? whole - both : 0;
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, "
			 "val_sds_len:%zu, val_sds_avail:0, val_zmalloc: %zu",
			 key, key, len, len + spare);
	reply_status_bytes(c->reply, bytes_of(text, (size_t)n));
}

/* --- LISTPACK, QUICKLIST --- */

static void print_listpack(const unsigned char *lp)
{
	unsigned char *p = listpack_first((unsigned char *)(uintptr_t)lp);
	printf("{total bytes %zu} {num entries %zu}\n", listpack_bytes(lp), listpack_count(lp));
	for (size_t i = 0; p; i++, p = listpack_next((unsigned char *)(uintptr_t)lp, p)) {
		char buf[NUM_BUF];
		struct bytes e = listpack_get(p, buf);
		printf("{ index: %zu, offset: %td, length: %zu } %.*s\n", i, p - lp, e.n,
		       e.n < 40 ? (int)e.n : 40, e.p);
	}
	printf("{end}\n\n");
	fflush(stdout);
}

/* The encoding says that there is one node, and that it is a listpack. */
static const unsigned char *list_listpack(const struct list *l)
{
	const void *node = NULL;
	struct bytes bytes;
	bool plain;
	return list_node_next(l, &node, &bytes, &plain) && !plain ? (const unsigned char *)bytes.p
								  : NULL;
}

static const unsigned char *listpack_of(uint64_t word)
{
	if (strncmp(entry_encoding(word), "listpack", 8) != 0)
		return NULL;
	switch (word_type(word)) {
	case VALUE_HASH:
		return hash_has_times(entry_container(word))
			       ? hash_listpack_times(entry_container(word))
			       : hash_listpack(entry_container(word));
	case VALUE_ZSET:
		return zset_listpack(entry_container(word));
	case VALUE_SET:
		return set_listpack(entry_container(word));
	case VALUE_LIST:
		return list_listpack(entry_container(word));
	case VALUE_STRING:
	case VALUE_STREAM:
		return NULL;
	}
	return NULL;
}

void debug_listpack(struct call *c)
{
	uint64_t word = debug_subject(c);
	if (!word)
		return;
	const unsigned char *lp = listpack_of(word);
	if (!lp) {
		reply_error(c->reply, "ERR Not a listpack encoded object.");
		return;
	}
	print_listpack(lp);
	reply_status(c->reply, "Listpack structure printed on stdout");
}

static void print_list(const struct list *l, bool whole)
{
	const void *node = NULL;
	struct bytes bytes;
	bool plain;
	size_t nodes, total;
	walk_nodes(l, &nodes, &total);
	printf("{count : %zu}\n{nodes : %zu}\n", list_count(l), nodes);
	for (size_t i = 0; list_node_next(l, &node, &bytes, &plain); i++) {
		printf("{quicklist node(%zu)\n{container : %s, size: %zu}\n", i,
		       plain ? "PLAIN" : "PACKED", bytes.n);
		if (whole && !plain)
			print_listpack((const unsigned char *)bytes.p);
		printf("}\n");
	}
	fflush(stdout);
}

void debug_quicklist(struct call *c)
{
	uint64_t word = debug_subject(c);
	int64_t level = 0;
	if (!word || (c->argc == 4 && !call_int(c, 3, &level)))
		return;
	if (word_type(word) != VALUE_LIST || strcmp(entry_encoding(word), "quicklist") != 0) {
		reply_error(c->reply, "ERR Not a quicklist encoded object.");
		return;
	}
	print_list(entry_container(word), level != 0);
	reply_status(c->reply, "Quicklist structure printed on stdout");
}
