#include "fs/inodes/inode.h"

#include "fs/kinds/kinds.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* A place as one run of bytes, the key that it is found by: database, node with what it lies below, kind; of a member the key's length;
 * key, member. */
#define WORDS_HEAD 6

static size_t words_size(const struct place *p)
{
	return WORDS_HEAD + (p->has_member ? sizeof(uint32_t) : 0) + p->key.n + p->member.n;
}

static void words_write(char *out, const struct place *p)
{
	uint32_t db = p->db, key_n = (uint32_t)p->key.n;

	memcpy(out, &db, sizeof(db));
	out[4] = (char)(p->node | (unsigned)p->raw << 5 | (unsigned)p->numbered << 6 |
			(unsigned)p->has_member << 7);
	out[5] = (char)(p->kind ? 1 + kind_index(p->kind) : 0);
	out += WORDS_HEAD;
	if (p->has_member) {
		memcpy(out, &key_n, sizeof(key_n));
		out += sizeof(key_n);
	}
	if (p->key.n)
		memcpy(out, p->key.p, p->key.n);
	if (p->member.n)
		memcpy(out + p->key.n, p->member.p, p->member.n);
}

/* @place's words, in @few or, when they are more, in memory of their own: for words_done. */
#define WORDS_FEW 512

static struct bytes words_of(const struct place *place, char few[WORDS_FEW])
{
	size_t n = words_size(place);
	char *w = n <= WORDS_FEW ? few : mem_alloc(n);

	words_write(w, place);
	return bytes_of(w, n);
}

static void words_done(struct bytes words, const char few[WORDS_FEW])
{
	if (words.p != few)
		mem_free((void *)(uintptr_t)words.p);
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
	char few[WORDS_FEW];
	struct bytes w = words_of(place, few);
	uint64_t ino = stable_hash(w.p, w.n);
	words_done(w, few);
	return ino > INODE_ROOT ? ino : ino + 2;
}

uint64_t inode_ino(const struct inode *i)
{
	if (i->more && i->more->number)
		return number_ino(i->more->number);
	return i->id == INODE_ROOT ? INODE_ROOT : place_ino(&i->place);
}

uint64_t inodes_ino(struct inodes *t, const struct place *place)
{
	struct inode *i = t->numbers ? inode_find(t, place) : NULL;

	return i ? inode_ino(i) : place_ino(place);
}

/* It goes, or goes elsewhere, and is the same file. */
static void keep_number(struct inodes *t, struct inode *i)
{
	uint64_t index;

	if (!is_position(&i->place, &index) && !inode_more(i)->number)
		i->more->number = number_keep(&t->numbers, place_ino(&i->place));
}

static void drop_number(struct inodes *t, struct inode *i)
{
	if (i->more && i->more->number) {
		number_drop(&t->numbers, i->more->number);
		i->more->number = NULL;
	}
}

/* It is new where another stood that has its number still. */
static void take_other_number(struct inodes *t, struct inode *i)
{
	uint64_t ino = place_ino(&i->place);

	if (number_is_kept(t->numbers, ino))
		inode_more(i)->number = number_keep(&t->numbers, number_instead(t->numbers, ino));
}

/* --- where the words stand --- */

/* The words of one that has moved, as far behind the front as an inode's. */
struct moved {
	struct inode *inode;
	char as_far[offsetof(struct inode, words) - sizeof(struct inode *)];
	unsigned char words[];
};

_Static_assert(offsetof(struct moved, words) == offsetof(struct inode, words), "one lead");

#define WORD_MOVED (UINT64_C(1) << 56) /* in the table: of a struct moved */

static struct inode *word_inode(uint64_t word)
{
	return word & WORD_MOVED ? ((struct moved *)word_ptr(word))->inode : word_ptr(word);
}

static uint64_t inode_word(const struct inode *i)
{
	return i->more && i->more->moved ? word_make(i->more->moved, WORD_MOVED) : word_make(i, 0);
}

static struct bytes inode_words(const struct inode *i)
{
	return word_key(inode_word(i), offsetof(struct inode, words));
}

/* Write @place at @at as a key of the table; @i's place is that one then. */
static void settle(struct inode *i, unsigned char *at, const struct place *place,
		   struct bytes words)
{
	const char *end = (const char *)varkey_put(at, words);

	i->place = *place;
	i->place.member = bytes_of(end - place->member.n, place->member.n);
	i->place.key = bytes_of(i->place.member.p - place->key.n, place->key.n);
}

static void list(struct inodes *t, struct inode *i)
{
	table_insert(&t->by_place, inode_word(i), keyhash(inode_words(i)));
	i->listed = true;
}

static void unlist(struct inodes *t, struct inode *i)
{
	cache_drop(t, i);
	editions_displaced(t, i);
	if (i->listed) {
		struct bytes words = inode_words(i);
		uint64_t hash = keyhash(words);
		table_take(&t->by_place, table_find(&t->by_place, words, hash), hash);
	}
	i->listed = false;
}

/* --- finding, making --- */

static struct inode *find(struct inodes *t, struct bytes words, uint64_t hash)
{
	const uint64_t *slot = table_find(&t->by_place, words, hash);

	return slot ? word_inode(*slot) : NULL;
}

struct inode *inode_find(struct inodes *t, const struct place *place)
{
	char few[WORDS_FEW];
	struct bytes w = words_of(place, few);
	struct inode *i = find(t, w, keyhash(w));

	words_done(w, few);
	return i;
}

struct inode *inode_by_id(struct inodes *t, uint64_t id)
{
	return (struct inode *)nodes_find(&t->by_id, id);
}

struct inode *inode_next(const struct inodes *t, uint32_t *at)
{
	return (struct inode *)nodes_next(&t->by_id, at);
}

static struct inode *make_unlisted(struct inodes *t, const struct place *place, struct bytes words)
{
	struct inode *i = mem_alloc(sizeof(*i) + varkey_size(words.n) + words.n);

	memset(i, 0, sizeof(*i));
	settle(i, i->words, place, words);
	nodes_add(&t->by_id, &i->id);
	return i;
}

static struct inode *make(struct inodes *t, const struct place *place, struct bytes words,
			  uint64_t hash)
{
	struct inode *i = make_unlisted(t, place, words);

	table_insert(&t->by_place, word_make(i, 0), hash);
	i->listed = true;
	if (t->numbers)
		take_other_number(t, i);
	return i;
}

struct inode *inode_get(struct inodes *t, const struct place *place)
{
	char few[WORDS_FEW];
	struct bytes w = words_of(place, few);
	uint64_t hash = keyhash(w);
	struct inode *i = find(t, w, hash);

	if (!i)
		i = make(t, place, w, hash);
	words_done(w, few);
	i->refs++;
	return i;
}

struct inode *inode_other(struct inodes *t, const struct inode *of)
{
	char few[WORDS_FEW];
	struct bytes w = words_of(&of->place, few);
	struct inode *i = make_unlisted(t, &of->place, w);

	words_done(w, few);
	i->refs++;
	return i;
}

struct inode_more *inode_more(struct inode *i)
{
	if (!i->more)
		i->more = mem_calloc(sizeof(*i->more));
	return i->more;
}

void inode_ref(struct inode *i)
{
	i->refs++;
}

static void free_inode(struct inodes *t, struct inode *i)
{
	unlist(t, i);
	nodes_remove(&t->by_id, &i->id);
	if (i->edition)
		editions_free(t, i);
	drop_number(t, i);
	if (i->more) {
		mem_free(i->more->follow);
		mem_free(i->more->moved);
		mem_free(i->more);
	}
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
	if (i->nlookup == 0) {
		cache_forget(t, i);
		if (i->edition)
			editions_forgotten(t, i);
	}
	if (i->refs == 0 && i->nlookup == 0)
		free_inode(t, i);
}

void inode_unlink(struct inodes *t, struct inode *i)
{
	unlist(t, i);
	if (i->opens)
		keep_number(t, i);
	inode_ref(i);
	inode_set_empty_dir(t, i, false);
	if (i->kept)
		inode_unref(t, i);
	i->kept = false;
	inode_unref(t, i);
}

/* The words of @to into memory of their own; @to may borrow from those that there were. */
static void rewrite(struct inode *i, const struct place *to)
{
	char few[WORDS_FEW];
	struct bytes w = words_of(to, few);
	struct moved *old = inode_more(i)->moved,
		     *m = mem_alloc(sizeof(*m) + varkey_size(w.n) + w.n);

	m->inode = i;
	settle(i, m->words, to, w);
	words_done(w, few);
	i->more->moved = m;
	mem_free(old);
}

void inode_move(struct inodes *t, struct inode *i, const struct place *to)
{
	struct inode *there = inode_find(t, to);

	if (there == i)
		return;
	if (there)
		inode_unlink(t, there);
	unlist(t, i);
	keep_number(t, i);
	rewrite(i, to);
	list(t, i);
	if (inode_ino(i) == place_ino(&i->place))
		drop_number(t, i);
	else if (i->place.node != NODE_SCRATCH)
		inode_keep(
			t,
			i); /* with each epoch the kernel forgets names that it has not asked for */
	i->sized = false;
	mem_free(i->more->follow);
	i->more->follow = NULL;
}

void inode_move_below(struct inodes *t, const struct place *from, const struct place *to)
{
	struct inode *i;
	uint32_t at = 0;

	while ((i = inode_next(t, &at))) {
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
	table_init(&t->by_place, offsetof(struct inode, words));
	inode_get(t, root);
}

void inodes_fini(struct inodes *t)
{
	struct inode *i;
	uint32_t at = 0;

	editions_fini(t);
	while ((i = inode_next(t, &at)))
		free_inode(t, i);
	nodes_fini(&t->by_id);
	table_fini(&t->by_place);
	mem_free(t->kept);
	cache_fini(&t->cache);
}
