/* SORT: the elements of a list, set or sorted set, by what they are or by what keys made of them hold. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "resp/acl/acl.h"
#include "resp/commands/commands.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/keyhash.h"
#include "store/base/keysort.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/types/hash.h"
#include "store/types/list.h"
#include "store/types/set.h"
#include "store/types/zset.h"

struct options {
	bool desc, alpha, unsorted, storing;
	bool has_by;
	struct bytes by;
	int64_t offset, count; /* count below 0: all */
	struct bytes store;
	size_t gets; /* how many GET */
	int *get;    /* argv indexes of their patterns */
};

/* Texts, each with a zero behind it for strcoll. They move while more are added: places, not pointers. */
struct texts {
	char *p;
	size_t n, room;
};

struct element {
	double score;
	size_t at, len; /* its own text */
	size_t by, by_len;
	bool has_by;
};

struct sort {
	struct options o;
	struct texts texts;
	struct element *v;
	size_t n;
	size_t first, wanted; /* of @v: what is answered */
};

/* --- arguments --- */

/* What a word of the arguments does with those behind it: how many it takes, 0 for a syntax error. @readonly: no STORE. */
static int option_length(struct bytes w, int left, bool readonly)
{
	if (bytes_is(w, "asc") || bytes_is(w, "desc") || bytes_is(w, "alpha"))
		return 1;
	if (left >= 2 && bytes_is(w, "limit"))
		return 3;
	if (left >= 1 && (bytes_is(w, "by") || bytes_is(w, "get")))
		return 2;
	return left >= 1 && !readonly && bytes_is(w, "store") ? 2 : 0;
}

static bool parse_option(struct call *c, int i, struct options *o)
{
	struct bytes w = c->argv[i];
	switch (w.p[0] | 0x20) {
	case 'a': /* ASC, ALPHA */
		if (w.n == 3)
			o->desc = false;
		else
			o->alpha = true;
		return true;
	case 'd':
		o->desc = true;
		return true;
	case 'l':
		return call_int(c, i + 1, &o->offset) && call_int(c, i + 2, &o->count);
	case 's':
		o->storing = true;
		o->store = c->argv[i + 1];
		return true;
	case 'b':
		o->has_by = true;
		o->by = c->argv[i + 1];
		/* A name that is the same for all elements gives no order. */
		o->unsorted |= memchr(o->by.p, '*', o->by.n) == NULL;
		return true;
	default: /* GET */
		o->get[o->gets++] = i + 1;
		return true;
	}
}

/* BY and GET reach keys that no access list could foresee: only who may read all may say them. */
static bool may_look_up(struct call *c, int i)
{
	bool by = bytes_is(c->argv[i], "by"), get = bytes_is(c->argv[i], "get");
	if (!(c->session->flags & SESSION_RESTRICTED) || (!by && !get))
		return true;
	/* An order by a name without a star looks nothing up. */
	if (by && !memchr(c->argv[i + 1].p, '*', c->argv[i + 1].n))
		return true;
	if (acl_reads_everything(c->session->user, c->item->reg, c->argc, c->argv))
		return true;
	reply_errorf(c->reply, "ERR %s option of SORT denied due to insufficient ACL permissions.",
		     by ? "BY" : "GET");
	return false;
}

static bool parse(struct call *c, bool readonly, struct options *o)
{
	for (int i = 2, took; i < c->argc; i += took) {
		took = option_length(c->argv[i], c->argc - i - 1, readonly);
		if (!took) {
			call_syntax_error(c);
			return false;
		}
		if (!may_look_up(c, i) || !parse_option(c, i, o))
			return false;
	}
	return true;
}

/* --- patterns --- */

static size_t add_text(struct texts *t, struct bytes b)
{
	if (t->room - t->n <= b.n) {
		t->room = (t->n + b.n + 1) * 2;
		t->p = mem_realloc(t->p, t->room);
	}
	size_t at = t->n;
	if (b.n)
		memcpy(t->p + at, b.p, b.n);
	t->p[at + b.n] = '\0';
	t->n += b.n + 1;
	return at;
}

static bool field_of(struct call *c, struct hash *h, struct bytes field, char *buf,
		     struct bytes *out)
{
	int64_t at = c->db->ndue ? hash_expiry(h, field) : -1;
	return (at < 0 || at >= keyspace_fields_now(c->db->ks)) && hash_get(h, field, buf, out);
}

/* The value that @pattern means for @element: the string of the key that it becomes with its first '*' replaced, or with
 * "->field" at its end a field of the hash there. False when there is none. @buf (NUM_BUF) holds integers. */
static bool look_up(struct call *c, struct bytes pattern, struct bytes element, char *buf,
		    struct bytes *out)
{
	if (bytes_eq(pattern, BYTES("#"))) {
		*out = element;
		return true;
	}
	const char *star = memchr(pattern.p, '*', pattern.n), *end = pattern.p + pattern.n;
	if (!star)
		return false;
	const char *tail = star + 1;
	const char *arrow = memmem(tail, (size_t)(end - tail), "->", 2);
	struct bytes field = {NULL, 0};
	if (arrow && arrow + 2 < end) {
		field = bytes_of(arrow + 2, (size_t)(end - arrow) - 2);
		end = arrow;
	}
	size_t head = (size_t)(star - pattern.p), rest = (size_t)(end - tail);
	char *name = mem_alloc(head + element.n + rest + 1);
	memcpy(name, pattern.p, head);
	memcpy(name + head, element.p, element.n);
	memcpy(name + head + element.n, tail, rest);
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	uint64_t w = keyspace_read(c->db, bytes_of(name, head + element.n + rest), how);
	mem_free(name);
	if (!w)
		return false;
	if (field.n)
		return word_type(w) == VALUE_HASH &&
		       field_of(c, entry_container(w), field, buf, out);
	if (word_type(w) != VALUE_STRING)
		return false;
	*out = entry_string(w, buf);
	return true;
}

/* --- the elements --- */

static struct bytes text_of(const struct sort *s, const struct element *e)
{
	return bytes_of(s->texts.p + e->at, e->len);
}

static void load_one(struct sort *s, struct bytes text)
{
	s->v[s->n++] = (struct element){.at = add_text(&s->texts, text), .len = text.n};
}

static void load_list(struct sort *s, struct list *l, size_t first, size_t n, bool backwards)
{
	struct list_iter it;
	struct bytes text;
	list_iter_begin(&it, l, backwards ? list_count(l) - 1 - first : first, backwards);
	while (n-- && list_iter_next(&it, &text))
		load_one(s, text);
}

static void load_zset(struct sort *s, struct zset *z, size_t first, size_t n, bool backwards)
{
	struct zset_iter it;
	struct bytes text;
	double score;
	zset_iter_begin(&it, z, backwards ? zset_count(z) - 1 - first : first, backwards);
	while (n-- && zset_iter_next(&it, &text, &score))
		load_one(s, text);
}

static void load_set(struct sort *s, struct set *set)
{
	struct set_iter it;
	struct bytes text;
	set_iter_begin(&it, set);
	while (set_iter_next(&it, &text))
		load_one(s, text);
	set_iter_end(&it);
}

static size_t count_of(uint64_t w)
{
	if (!w)
		return 0;
	if (word_type(w) == VALUE_LIST)
		return list_count(entry_container(w));
	if (word_type(w) == VALUE_SET)
		return set_count(entry_container(w));
	return zset_count(entry_container(w));
}

/* Take in the elements of @w: copies, as looking up other keys may change the database. */
static void load(struct sort *s, uint64_t w)
{
	size_t total = count_of(w);
	int64_t offset = s->o.offset < 0 ? 0 : s->o.offset;
	s->first = (uint64_t)offset < total ? (size_t)offset : total;
	s->wanted = total - s->first;
	if (s->o.count >= 0 && (uint64_t)s->o.count < s->wanted)
		s->wanted = (size_t)s->o.count;
	if (!s->wanted)
		s->first = 0;
	if (!total)
		return;
	/* What has an order of its own and keeps it is read from where it is wanted, DESC from the end. */
	bool part = s->o.unsorted && word_type(w) != VALUE_SET;
	size_t first = part ? s->first : 0, n = part ? s->wanted : total;
	if (part)
		s->first = 0;
	s->v = mem_alloc((n + 1) * sizeof(*s->v));
	if (!n)
		return;
	if (word_type(w) == VALUE_LIST)
		load_list(s, entry_container(w), first, n, part && s->o.desc);
	else if (word_type(w) == VALUE_ZSET)
		load_zset(s, entry_container(w), first, n, part && s->o.desc);
	else
		load_set(s, entry_container(w));
}

/* --- weights --- */

/* A number as strtod reads it: blanks in front are fine, nothing at all is 0, a zero byte ends it. */
static bool read_score(const char *text, double *out)
{
	char *end;
	errno = 0;
	*out = strtod(text, &end);
	return !*end && errno != ERANGE && !isnan(*out);
}

static bool weigh_number(struct sort *s, struct element *e, struct bytes text)
{
	int64_t whole;
	if (num_parse_int(text, &whole)) {
		e->score = (double)whole;
		return true;
	}
	if (!s->o.has_by)
		return read_score(text.p, &e->score);
	/* A value of the database has no zero behind it: the end of the texts lends one. */
	size_t at = add_text(&s->texts, text);
	bool ok = read_score(s->texts.p + at, &e->score);
	s->texts.n = at;
	return ok;
}

/* Find what each element is ordered by. False when one that has to be a number is none. */
static bool weigh(struct call *c, struct sort *s)
{
	bool ok = true;
	for (size_t i = 0; i < s->n; i++) {
		struct element *e = &s->v[i];
		struct bytes own = text_of(s, e), text = own;
		char buf[NUM_BUF];
		if (s->o.has_by && !look_up(c, s->o.by, own, buf, &text))
			continue;
		if (!s->o.alpha) {
			ok &= weigh_number(s, e, text);
		} else if (s->o.has_by) {
			e->by = add_text(&s->texts, text);
			e->by_len = text.n;
			e->has_by = true;
		}
	}
	return ok;
}

/* --- order --- */

/* What is stored must not depend on the machine's language. */
static int compare_texts(const struct sort *s, struct bytes a, struct bytes b)
{
	return s->o.storing ? bytes_cmp(a, b) : strcoll(a.p, b.p);
}

static int compare_up(const struct element *a, const struct element *b, const struct sort *s)
{
	const char *p = s->texts.p;
	if (!s->o.alpha && a->score != b->score)
		return a->score < b->score ? -1 : 1;
	if (!s->o.alpha)
		return bytes_cmp(text_of(s, a), text_of(s, b));
	if (!s->o.has_by)
		return compare_texts(s, text_of(s, a), text_of(s, b));
	if (!a->has_by || !b->has_by)
		return a->has_by - b->has_by;
	return compare_texts(s, bytes_of(p + a->by, a->by_len), bytes_of(p + b->by, b->by_len));
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct sort *s = arg;
	int cmp = compare_up(a, b, s);
	return s->o.desc ? -cmp : cmp;
}

/* Numbers are sorted by themselves, and elements only where those are equal. */
static int compare_items(const void *a, const void *b, void *arg)
{
	const struct keysort_item *x = a, *y = b;
	return compare(x->p, y->p, arg);
}

static void order(struct sort *s)
{
	struct keysort_item *items = s->o.alpha ? NULL : mem_try(2 * s->n * sizeof(*items));
	struct element *v = items ? mem_try(s->n * sizeof(*v)) : NULL;
	if (!v) {
		mem_free(items);
		qsort_r(s->v, s->n, sizeof(*s->v), compare, s);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		uint64_t key = keysort_double(s->v[i].score);
		items[i] = (struct keysort_item){s->o.desc ? ~key : key, &s->v[i]};
	}
	struct keysort_item *sorted = keysort(items, items + s->n, s->n, compare_items, s);
	for (size_t i = s->first; i < s->first + s->wanted; i++)
		v[i] = *(struct element *)sorted[i].p;
	mem_free(items);
	mem_free(s->v);
	s->v = v;
}

/* --- answers --- */

/* Hand the @k-th part of an element's answer to the reply, or to @list. */
static void part_out(struct call *c, struct sort *s, struct element *e, size_t k, struct list *list)
{
	char buf[NUM_BUF];
	struct bytes text = text_of(s, e);
	bool there = !s->o.gets || look_up(c, c->argv[s->o.get[k]], text, buf, &text);
	if (list)
		list_push(list, true, there ? text : bytes_of("", 0), &c->server->config.limits);
	else if (there)
		reply_bulk(c->reply, text);
	else
		reply_null(c->reply);
}

static void all_out(struct call *c, struct sort *s, struct list *list)
{
	size_t parts = s->o.gets ? s->o.gets : 1;
	for (size_t i = s->first; i < s->first + s->wanted; i++)
		for (size_t k = 0; k < parts; k++)
			part_out(c, s, &s->v[i], k, list);
}

static void store(struct call *c, struct sort *s, size_t n)
{
	if (n) {
		struct list *list = list_new();
		all_out(c, s, list);
		keyspace_put(c->db, s->o.store, VALUE_LIST, list);
		call_changed(c, s->o.store, NOTIFY_LIST, "sortstore");
	} else if (keyspace_delete(c->db, s->o.store, KEYSPACE_FREE_LAZY)) {
		call_changed(c, s->o.store, NOTIFY_GENERIC, "del");
	}
	reply_int(c->reply, (int64_t)n);
}

static void answer(struct call *c, struct sort *s)
{
	size_t n = s->wanted * (s->o.gets ? s->o.gets : 1);
	if (s->o.storing) {
		store(c, s, n);
		return;
	}
	reply_array(c->reply, n);
	all_out(c, s, NULL);
}

/* --- the commands --- */

/* The word of argv[1]; false, with the error replied, when it cannot be sorted. */
static bool find(struct call *c, uint64_t *w)
{
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	*w = keyspace_read(c->db, c->argv[1], how);
	if (!*w || word_type(*w) == VALUE_LIST || word_type(*w) == VALUE_SET ||
	    word_type(*w) == VALUE_ZSET)
		return true;
	call_wrong_type(c);
	return false;
}

static void run(struct call *c, struct sort *s, uint64_t w)
{
	/* A set has no order of its own: to store it in one that every replica finds, it is sorted all the same. */
	if (s->o.unsorted && s->o.storing && w && word_type(w) == VALUE_SET) {
		s->o.unsorted = s->o.has_by = false;
		s->o.alpha = true;
	}
	load(s, w);
	if (!s->o.unsorted) {
		if (!weigh(c, s)) {
			reply_error(c->reply,
				    "ERR One or more scores can't be converted into double");
			return;
		}
		if (s->n)
			order(s);
	}
	answer(c, s);
}

static void sort(struct call *c, bool readonly)
{
	struct sort s = {.o = {.count = -1}};
	uint64_t w;
	s.o.get = mem_alloc((size_t)c->argc * sizeof(*s.o.get));
	if (parse(c, readonly, &s.o) && find(c, &w))
		run(c, &s, w);
	mem_free(s.o.get);
	mem_free(s.v);
	mem_free(s.texts.p);
}

static void cmd_sort(struct call *c)
{
	sort(c, false);
}

static void cmd_sort_ro(struct call *c)
{
	sort(c, true);
}

/* The key that is sorted and, of several, the last that STORE names. */
static int sort_keys(int argc, const struct bytes *argv, int *positions, int max)
{
	int store = 0, n = 0;
	for (int i = 2, took; i < argc; i += took) {
		took = option_length(argv[i], argc - i - 1, false);
		if (took == 2 && bytes_is(argv[i], "store"))
			store = i + 1;
		if (!took)
			took = 1;
	}
	if (n < max)
		positions[n++] = 1;
	if (store && n < max)
		positions[n++] = store;
	return n;
}

static int sort_ro_keys(int argc, const struct bytes *argv, int *positions, int max)
{
	(void)argv;
	if (argc < 2 || max < 1)
		return 0;
	positions[0] = 1;
	return 1;
}

#define COST                                                                                       \
	"O(N+M*log(M)), N elements sorted, M answered; without an order to make O(N). A key "      \
	"looked "                                                                                  \
	"up for each BY and GET"
#define UNKNOWN_KEYS(key_flags)                                                                    \
	{                                                                                          \
		.flags = (key_flags), .begin = KEYS_BEGIN_UNKNOWN, .find = KEYS_FIND_UNKNOWN       \
	}
#define SYNTAX                                                                                     \
	"key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [order: ASC|DESC] " \
	"[sorting=ALPHA]"

const struct command sort_commands[] = {
	{.name = "sort",
	 .run = cmd_sort,
	 .arity = -2,
	 .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLEKEYS,
	 .categories = CAT_SET | CAT_SORTEDSET | CAT_LIST | CAT_DANGEROUS,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1), UNKNOWN_KEYS(KEY_RO | KEY_ACCESS),
		  UNKNOWN_KEYS(KEY_OW | KEY_UPDATE)},
	 .summary = "Answer, or store, the elements of a list, set or sorted set in order",
	 .since = "1.0.0",
	 .group = "generic",
	 .complexity = COST,
	 .syntax = SYNTAX " [STORE destination]",
	 .getkeys = sort_keys},
	{.name = "sort_ro",
	 .run = cmd_sort_ro,
	 .arity = -2,
	 .flags = CMD_READONLY | CMD_MOVABLEKEYS,
	 .categories = CAT_SET | CAT_SORTEDSET | CAT_LIST | CAT_DANGEROUS,
	 .keys = {KEYS_AT(KEY_RO | KEY_ACCESS, 1, 0, 1), UNKNOWN_KEYS(KEY_RO | KEY_ACCESS)},
	 .summary = "Answer the elements of a list, set or sorted set in order",
	 .since = "7.0.0",
	 .group = "generic",
	 .complexity = COST,
	 .syntax = SYNTAX,
	 .getkeys = sort_ro_keys},
	{0},
};
