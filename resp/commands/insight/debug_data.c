/* DEBUG: looking into the data set, and filling it. */
#include <stdio.h>
#include <stdlib.h>

#include "resp/changes.h"
#include "resp/commands/insight/debug.h"
#include "resp/insight/digest.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/types/hash.h"
#include "store/types/set.h"
#include "store/types/zset.h"

/* --- hash tables --- */

static void write_table(struct table *t, FILE *out)
{
	static const char *const roles[] = {"main hash table", "rehashing target"};
	struct table_stats s;
	table_stats(t, &s);
	for (int i = 0; i < 2; i++) {
		if (i == 1 && !table_rehashing(t))
			return;
		fprintf(out, "Hash table %d stats (%s):\n", i, roles[i]);
		if (!s.used[i]) {
			fputs("No stats available for empty dictionaries\n", out);
			continue;
		}
		fprintf(out,
			" table size: %llu\n number of elements: %llu\n overflow buckets: %llu\n"
			" max chain length: %llu\n",
			(unsigned long long)s.buckets[i], (unsigned long long)s.used[i],
			(unsigned long long)s.children[i], (unsigned long long)s.longest_chain[i]);
	}
}

static void reply_tables(struct call *c, struct table *a, const char *a_title, struct table *b,
			 const char *b_title)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	if (!out) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	if (a_title)
		fprintf(out, "%s\n", a_title);
	write_table(a, out);
	if (b) {
		fprintf(out, "%s\n", b_title);
		write_table(b, out);
	}
	fclose(out);
	reply_verbatim(c->reply, bytes_of(text, n), "txt");
	free(text);
}

void debug_htstats(struct call *c)
{
	int64_t id;
	if (!call_int(c, 2, &id))
		return;
	if (id < 0 || id >= c->db->ks->ndbs) {
		reply_error(c->reply, "ERR Out of range database");
		return;
	}
	struct db *db = &c->db->ks->dbs[id];
	reply_tables(c, &db->keys, "[Dictionary HT]", &db->volatiles, "[Expires HT]");
}

static struct table *table_of(uint64_t word)
{
	switch (word_type(word)) {
	case VALUE_SET:
		return set_table(entry_container(word));
	case VALUE_ZSET:
		return zset_table(entry_container(word));
	case VALUE_HASH:
		return hash_table(entry_container(word));
	case VALUE_STRING:
	case VALUE_LIST:
	case VALUE_STREAM:
		return NULL;
	}
	return NULL;
}

void debug_htstats_key(struct call *c)
{
	uint64_t word = debug_subject(c);
	if (!word)
		return;
	struct table *t = table_of(word);
	if (t)
		reply_tables(c, t, NULL, NULL, NULL);
	else
		reply_error(c->reply,
			    "ERR The value stored at the specified key is not represented "
			    "using an hash table");
}

/* --- POPULATE --- */

/* Bind "prefix:i" to "value:i", cut or padded with zero bytes to @size when that is not 0, unless the key exists. */
static enum store_err populate_one(struct db *db, struct bytes prefix, int64_t i, char *key,
				   char *val, size_t size)
{
	char number[NUM_BUF];
	size_t digits = num_format_int(number, i);
	memcpy(key + prefix.n + 1, number, digits);
	struct bytes k = bytes_of(key, prefix.n + 1 + digits);
	if (keyspace_write(db, k))
		return STORE_OK;
	char text[NUM_BUF + 8] = "value:";
	memcpy(text + 6, number, digits);
	struct bytes v = bytes_of(text, 6 + digits);
	if (size) {
		memcpy(val, text, v.n < size ? v.n : size);
		v = bytes_of(val, size);
	}
	return keyspace_set_string(db, k, v, 0);
}

void debug_populate(struct call *c)
{
	static const char *const bad = "ERR value is out of range, must be positive";
	int64_t count, size = 0;
	if (!call_int_range(c, 2, 0, INT64_MAX, &count, bad) ||
	    (c->argc == 5 && !call_int_range(c, 4, 0, INT32_MAX, &size, bad)))
		return;
	struct bytes prefix = c->argc > 3 ? c->argv[3] : BYTES("key");
	char *key = mem_try(prefix.n + 1 + NUM_BUF);
	char *val = mem_try(size ? (size_t)size : 1);
	enum store_err err = key && val ? STORE_OK : STORE_ENOMEM;
	if (!err) {
		memcpy(key, prefix.p, prefix.n);
		key[prefix.n] = ':';
		memset(val, 0, size ? (size_t)size : 1);
		table_reserve(&c->db->keys, table_count(&c->db->keys) + (uint64_t)count);
	}
	for (int64_t i = 0; i < count && !err; i++)
		err = populate_one(c->db, prefix, i, key, val, (size_t)size);
	mem_free(key);
	mem_free(val);
	if (c->server->changes)
		changes_mark_all(c->server->changes, c->db->ks->now_ms);
	if (err)
		call_error(c, err);
	else
		reply_ok(c->reply);
}

/* --- digests --- */

static struct digester *digester(struct call *c)
{
	struct digester *g = digester_new();
	if (!g)
		reply_error(c->reply, "ERR no SHA-1 on this system");
	return g;
}

static void reply_digest(struct call *c, const struct digest *d)
{
	char hex[2 * DIGEST_BYTES + 1];
	digest_hex(d, hex);
	reply_status(c->reply, hex);
}

void debug_digest(struct call *c)
{
	struct digester *g = digester(c);
	struct digest d;
	if (!g)
		return;
	digest_keyspace(g, c->db->ks, &d);
	reply_digest(c, &d);
	digester_free(g);
}

void debug_digest_value(struct call *c)
{
	struct digester *g = digester(c);
	if (!g)
		return;
	reply_array(c->reply, (size_t)c->argc - 2);
	for (int i = 2; i < c->argc; i++) {
		struct digest d = {{0}};
		uint64_t word = keyspace_read(c->db, c->argv[i], KEYSPACE_NOTOUCH);
		if (word)
			digest_value(g, word, &d);
		reply_digest(c, &d);
	}
	digester_free(g);
}
