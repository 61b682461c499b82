#include "resp/insight/digest.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "store/base/mem.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/stream.h"
#include "store/types/zset.h"

struct digester {
	EVP_MD *sha1;
	EVP_MD_CTX *ctx;
};

struct digester *digester_new(void)
{
	struct digester *g = mem_calloc(sizeof(*g));
	g->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	g->ctx = EVP_MD_CTX_new();
	if (g->sha1 && g->ctx)
		return g;
	digester_free(g);
	return NULL;
}

void digester_free(struct digester *g)
{
	EVP_MD_CTX_free(g->ctx);
	EVP_MD_free(g->sha1);
	mem_free(g);
}

static void sha1(struct digester *g, struct bytes b, unsigned char out[DIGEST_BYTES])
{
	EVP_DigestInit_ex2(g->ctx, g->sha1, NULL);
	EVP_DigestUpdate(g->ctx, b.p, b.n);
	EVP_DigestFinal_ex(g->ctx, out, NULL);
}

/* Without order: the same parts give the same sum whichever comes first. */
static void add(struct digester *g, struct digest *d, struct bytes b)
{
	unsigned char hash[DIGEST_BYTES];
	sha1(g, b, hash);
	for (int i = 0; i < DIGEST_BYTES; i++)
		d->sum[i] ^= hash[i];
}

/* With order: the sum so far goes into the next. */
static void mix(struct digester *g, struct digest *d, struct bytes b)
{
	struct digest before;
	add(g, d, b);
	before = *d;
	sha1(g, bytes_of(before.sum, DIGEST_BYTES), d->sum);
}

static void mix_u32(struct digester *g, struct digest *d, uint32_t v)
{
	uint32_t big = htonl(v);
	mix(g, d, bytes_of(&big, sizeof(big)));
}

/* A pair counts as one part of an unordered value. */
static void add_pair(struct digester *g, struct digest *d, struct bytes a, struct bytes b)
{
	struct digest pair = {{0}};
	mix(g, &pair, a);
	mix(g, &pair, b);
	add(g, d, bytes_of(pair.sum, DIGEST_BYTES));
}

static void add_field(struct digester *g, struct digest *d, const struct hash_iter *it,
		      struct bytes field, struct bytes value)
{
	struct digest pair = {{0}};
	mix(g, &pair, field);
	mix(g, &pair, value);
	/* That it expires goes in, when it does not. */
	if (it->expiry >= 0)
		add(g, &pair, BYTES("!!hexpire!!"));
	add(g, d, bytes_of(pair.sum, DIGEST_BYTES));
}

/* --- the types --- */

static void digest_list(struct digester *g, struct digest *d, const struct list *l)
{
	struct list_iter it;
	struct bytes value;
	list_iter_begin(&it, l, 0, false);
	while (list_iter_next(&it, &value))
		mix(g, d, value);
}

static void digest_set(struct digester *g, struct digest *d, struct set *s)
{
	struct set_iter it;
	struct bytes member;
	set_iter_begin(&it, s);
	while (set_iter_next(&it, &member))
		add(g, d, member);
	set_iter_end(&it);
}

static void digest_zset(struct digester *g, struct digest *d, struct zset *z)
{
	struct zset_iter it;
	struct bytes member;
	double score;
	zset_iter_begin(&it, z, 0, false);
	while (zset_iter_next(&it, &member, &score)) {
		char text[64];
		int n = snprintf(text, sizeof(text), "%.17g", score);
		add_pair(g, d, member, bytes_of(text, (size_t)n));
	}
}

static void digest_hash(struct digester *g, struct digest *d, struct hash *h)
{
	struct hash_iter it;
	struct bytes field, value;
	hash_iter_begin(&it, h);
	while (hash_iter_next(&it, &field, &value))
		add_field(g, d, &it, field, value);
	hash_iter_end(&it);
}

static void digest_stream(struct digester *g, struct digest *d, const struct stream *s)
{
	struct stream_iter it;
	struct bytes field, value;
	char id[64];
	stream_iter_begin(&it, s, STREAM_ID_MIN, STREAM_ID_MAX, false);
	while (stream_iter_next(&it)) {
		int n = snprintf(id, sizeof(id), "%" PRIu64 ".%" PRIu64, it.e.id.ms, it.e.id.seq);
		mix(g, d, bytes_of(id, (size_t)n));
		for (size_t i = 0; i < it.e.nfields; i++) {
			stream_iter_pair(&it, &field, &value);
			mix(g, d, field);
			mix(g, d, value);
		}
	}
}

static void mix_value(struct digester *g, uint64_t word, struct digest *d)
{
	char buf[NUM_BUF];
	mix_u32(g, d, word_type(word));
	switch (word_type(word)) {
	case VALUE_STRING:
		mix(g, d, entry_string(word, buf));
		break;
	case VALUE_LIST:
		digest_list(g, d, entry_container(word));
		break;
	case VALUE_SET:
		digest_set(g, d, entry_container(word));
		break;
	case VALUE_ZSET:
		digest_zset(g, d, entry_container(word));
		break;
	case VALUE_HASH:
		digest_hash(g, d, entry_container(word));
		break;
	case VALUE_STREAM:
		digest_stream(g, d, entry_container(word));
		break;
	}
	if (entry_expiry(word) >= 0)
		add(g, d, BYTES("!!expire!!"));
}

void digest_value(struct digester *g, uint64_t word, struct digest *out)
{
	memset(out, 0, sizeof(*out));
	mix_value(g, word, out);
}

/* --- everything --- */

static void digest_key(struct digester *g, uint64_t word, struct digest *out)
{
	struct digest d = {{0}};
	mix(g, &d, entry_key(word));
	mix_value(g, word, &d);
	add(g, out, bytes_of(d.sum, DIGEST_BYTES));
}

void digest_keyspace(struct digester *g, struct keyspace *ks, struct digest *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ks->ndbs; i++) {
		struct db *db = &ks->dbs[i];
		if (!table_count(&db->keys))
			continue;
		/* The number goes in, so that moving keys to another database shows. */
		mix_u32(g, out, i);
		struct table_iter it;
		uint64_t *slot;
		table_iter_begin(&it, &db->keys);
		while ((slot = table_iter_next(&it)))
			digest_key(g, *slot, out);
		table_iter_end(&it);
	}
}

void digest_hex(const struct digest *d, char out[2 * DIGEST_BYTES + 1])
{
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", d->sum[i]);
}
