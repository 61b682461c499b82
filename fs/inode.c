#include "store/base/mem.h"
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)

#include "fs/inode.h"

#include "fs/kinds/kinds.h"
#include "store/base/keyhash.h"
#include "store/base/num.h"

/* A place as one run of bytes: the registry's key. Layout: header, key, member. */
struct words_head {
	uint32_t db, key_n, member_n;
	uint8_t node, kind, raw, numbered, has_member, pad[3];
};

static size_t words_size(const struct place *p)
{
	return sizeof(struct words_head) + p->key.n + p->member.n;
}

static void words_write(char *out, const struct place *p)
{
	struct words_head h = {
		.db = p->db,
		.key_n = (uint32_t)p->key.n,
		.member_n = (uint32_t)p->member.n,
		.node = (uint8_t)p->node,
		.kind = (uint8_t)(p->kind ? 1 + kind_index(p->kind) : 0),
		.raw = p->raw,
		.numbered = p->numbered,
		.has_member = p->has_member,
	};

	memcpy(out, &h, sizeof(h));
	out += sizeof(h);
	if (p->key.n)
		memcpy(out, p->key.p, p->key.n);
	if (p->member.n)
		memcpy(out + p->key.n, p->member.p, p->member.n);
}

/* Eight bytes at a time, and finished, as MurmurHash3 does: the same in every run, which the seeded hash is not. Nothing but the
 * uniqueness of st_ino depends on it. */
static uint64_t stable_hash(const char *p, size_t n)
{
	uint64_t h = n * UINT64_C(0x9e3779b97f4a7c15), v;

	for (; n; p += 8, n -= n < 8 ? n : 8) {
		v = 0;
		memcpy(&v, p, n < 8 ? n : 8);
		v *= UINT64_C(0x87c37b91114253d5);
		v = (v << 31 | v >> 33) * UINT64_C(0x4cf5ad432745937f);
		h = (h ^ v) << 27 | (h ^ v) >> 37;
		h = h * 5 + 0x52dce729;
	}
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* Positions of a list are numbered as they stand: cp -r makes names in the order of these numbers, and a list takes them in no other. */
static bool is_position(const struct place *p, uint64_t *index)
{
	return p->node == NODE_MEMBER && p->kind->member == &element_ops &&
	       num_parse_uint(p->member, index);
}

uint64_t place_ino(const struct place *place)
{
	struct place list = *place;
	uint64_t index;

	if (is_position(place, &index)) {
		list.node = NODE_ENTRY;
		list.has_member = false;
		list.member = (struct bytes){0};
		return ((place_ino(&list) >> 32 | 1) << 32) + (uint32_t)index;
	}
	size_t n = words_size(place);
	char few[512], *w = n <= sizeof(few) ? few : mem_alloc(n);

	words_write(w, place);
	uint64_t ino = stable_hash(w, n);
	if (w != few)
		mem_free(w);
	return ino > INODE_ROOT ? ino : ino + 2;
}

/* Give @i the place, with bytes of its own. */
static void settle(struct inode *i, const struct place *place)
{
	size_t n = words_size(place);
	char *w = mem_alloc(n);
	uint64_t index;

	words_write(w, place);
	struct place p = *place;
	p.key = bytes_of(w + sizeof(struct words_head), place->key.n);
	p.member = bytes_of(p.key.p + p.key.n, place->member.n);
	mem_free(i->words);
	i->words = w;
	i->place = p;
	i->ino = is_position(&i->place, &index) ? place_ino(&i->place) : stable_hash(w, n);
}

static void list(struct inodes *t, struct inode *i)
{
	size_t n = words_size(&i->place);
	unsigned hash = (unsigned)keyhash(bytes_of(i->words, n));

	HASH_ADD_KEYPTR_BYHASHVALUE(by_place, t->by_place, i->words, (unsigned)n, hash, i);
	i->listed = true;
}

static void unlist(struct inodes *t, struct inode *i)
{
	cache_drop(t, i);
	if (i->listed)
		HASH_DELETE(by_place, t->by_place, i);
	i->listed = false;
}

struct inode *inode_find(struct inodes *t, const struct place *place)
{
	size_t n = words_size(place);
	char few[512], *w = n <= sizeof(few) ? few : mem_alloc(n);
	struct inode *i;

	words_write(w, place);
	unsigned hash = (unsigned)keyhash(bytes_of(w, n));
	HASH_FIND_BYHASHVALUE(by_place, t->by_place, w, (unsigned)n, hash, i);
	if (w != few)
		mem_free(w);
	return i;
}

struct inode *inode_by_id(struct inodes *t, uint64_t id)
{
	struct inode *i;
	unsigned hash = (unsigned)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	HASH_FIND_BYHASHVALUE(by_id, t->by_id, &id, sizeof(id), hash, i);
	return i;
}

static struct inode *make(struct inodes *t, const struct place *place)
{
	struct inode *i = mem_calloc(sizeof(*i));

	i->id = ++t->next_id;
	unsigned hash = (unsigned)(i->id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	HASH_ADD_KEYPTR_BYHASHVALUE(by_id, t->by_id, &i->id, sizeof(i->id), hash, i);
	settle(i, place);
	list(t, i);
	return i;
}

struct inode *inode_get(struct inodes *t, const struct place *place)
{
	struct inode *i = inode_find(t, place);

	if (!i)
		i = make(t, place);
	i->refs++;
	return i;
}

void inode_ref(struct inode *i)
{
	i->refs++;
}

static void free_inode(struct inodes *t, struct inode *i)
{
	unlist(t, i);
	HASH_DELETE(by_id, t->by_id, i);
	mem_free(i->words);
	mem_free(i->follow);
	mem_free(i);
}

void inode_unref(struct inodes *t, struct inode *i)
{
	if (--i->refs == 0 && i->nlookup == 0)
		free_inode(t, i);
}

void inode_forget(struct inodes *t, struct inode *i, uint64_t n)
{
	i->nlookup -= n < i->nlookup ? n : i->nlookup;
	if (i->nlookup == 0)
		cache_forget(t, i);
	if (i->refs == 0 && i->nlookup == 0)
		free_inode(t, i);
}

void inode_unlink(struct inodes *t, struct inode *i)
{
	unlist(t, i);
	inode_ref(i);
	inode_set_empty_dir(t, i, false);
	if (i->kept)
		inode_unref(t, i);
	i->kept = false;
	inode_unref(t, i);
}

void inode_move(struct inodes *t, struct inode *i, const struct place *to)
{
	struct inode *there = inode_find(t, to);

	if (there == i)
		return;
	if (there)
		inode_unlink(t, there);
	unlist(t, i);
	settle(i, to);
	list(t, i);
	i->sized = false;
	mem_free(i->follow);
	i->follow = NULL;
}

void inode_move_below(struct inodes *t, const struct place *from, const struct place *to)
{
	struct inode *i, *next;

	HASH_ITER (by_id, t->by_id, i, next) {
		struct place p = i->place;
		if (!i->listed || !p.has_member || p.kind != from->kind || p.db != from->db ||
		    p.raw != from->raw || p.numbered != from->numbered ||
		    !bytes_eq(p.key, from->key))
			continue;
		p.key = to->key;
		inode_move(t, i, &p);
	}
}

bool inode_set_empty_dir(struct inodes *t, struct inode *i, bool on)
{
	if (i->empty_dir == on)
		return true;
	if (on && t->empty_dirs >= INODE_EMPTY_DIRS)
		return false;
	i->empty_dir = on;
	if (on) {
		t->empty_dirs++;
		inode_ref(i);
	} else {
		t->empty_dirs--;
		inode_unref(t, i);
	}
	return true;
}

void inode_keep(struct inodes *t, struct inode *i)
{
	if (i->kept)
		return;
	if (!t->kept)
		t->kept = mem_calloc(INODE_KEPT * sizeof(*t->kept));
	struct inode *old = inode_by_id(t, t->kept[t->kept_next]);
	t->kept[t->kept_next] = i->id;
	t->kept_next = (t->kept_next + 1) % INODE_KEPT;
	i->kept = true;
	inode_ref(i);
	if (old && old->kept) {
		old->kept = false;
		inode_unref(t, old);
	}
}

void inodes_init(struct inodes *t, const struct place *root)
{
	*t = (struct inodes){0};
	inode_get(t, root)->ino = INODE_ROOT;
}

void inodes_fini(struct inodes *t)
{
	struct inode *i, *next;

	HASH_ITER (by_id, t->by_id, i, next) {
		free_inode(t, i);
	}
	mem_free(t->kept);
	cache_fini(&t->cache);
}
