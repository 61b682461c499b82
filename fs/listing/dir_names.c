#include "fs/listing/dir_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "fs/fs.h"
#include "fs/kinds/kinds.h"
#include "fs/text/name.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* COUNT of a step. One that finds none of the type looks at ten times as many buckets. */
#define SCAN_COUNT      100
#define SCAN_COUNT_TEXT "100"

#define NUMBERS_A_STEP 1000

#define ORDERED_MIN 2000
#define ORDERED_MAX 12000

void names_init(struct names *n, struct mount *m, struct inode *i,
		void (*answered)(struct names *n))
{
	*n = (struct names){.m = m, .inode = i, .answered = answered};
}

void names_fini(struct names *n)
{
	dirents_fini(&n->found);
	mem_free(n->early);
}

void names_rewind(struct names *n)
{
	names_fini(n);
	names_init(n, n->m, n->inode, n->answered);
}

static bool in_key(const struct names *n)
{
	return n->inode->place.node == NODE_ENTRY;
}

/* --- names that stand in the tree, whatever the keys are --- */

static void add_place(struct names *n, struct bytes name, const struct place *p, mode_t mode)
{
	dirents_add(&n->found, name, mode, place_ino(p));
}

static void add_fixed(struct names *n)
{
	struct backend *b = n->m->backend;
	struct place p = n->inode->place;
	bool top = !p.numbered;
	char number[16];

	if (p.node == NODE_DBS) {
		p.node = NODE_TOP;
		p.numbered = true;
		for (p.db = 0; p.db < b->ops->databases(b); p.db++) {
			int len = snprintf(number, sizeof(number), "%u", p.db);
			add_place(n, bytes_of(number, (size_t)len), &p, S_IFDIR);
		}
		return;
	}
	p.node = NODE_DIR;
	for (int i = 0; i < kinds_count; i++) {
		p.kind = &kinds[i];
		if (!kinds[i].below)
			add_place(n, bytes_str(kinds[i].name), &p, S_IFDIR);
	}
	p.kind = NULL;
	p.node = NODE_CTL;
	add_place(n, BYTES("ctl"), &p, S_IFREG);
	p.node = NODE_DBS;
	if (top)
		add_place(n, BYTES("db"), &p, S_IFDIR);
	p.node = NODE_TOP;
	p.raw = true;
	if (top && !n->inode->place.raw)
		add_place(n, BYTES("raw"), &p, S_IFDIR);
}

/* What always stands in a directory of the tree: names of the table, and other directories. */
static void add_fixed_names(struct names *n, const struct kind *k)
{
	struct place p = n->inode->place;

	for (int i = 0; i < kinds_count; i++) {
		p.kind = &kinds[i];
		if (kinds[i].below && !strcmp(kinds[i].below, k->name))
			add_place(n, bytes_str(kinds[i].name), &p, S_IFDIR);
	}
	p.node = NODE_ENTRY;
	p.kind = k;
	for (int i = 0; k->fixed[i]; i++) {
		p.key = bytes_str(k->fixed[i]);
		add_place(n, p.key, &p, k->entry_mode);
	}
}

static void add_scratch(struct names *n)
{
	const struct place *here = &n->inode->place;
	struct bytes name;

	for (struct scratch *f = n->m->scratches.list; f; f = f->next)
		if (f->inode->listed && scratch_is_in(&f->inode->place, here, &name))
			dirents_add(&n->found, name, f->dir ? S_IFDIR : S_IFREG,
				    inode_ino(f->inode));
}

/* --- directories that mkdir made and that are no keys yet --- */

/* They may become keys while the others are listed: told of first, and remembered, they are told of once. */
static bool told_early(struct names *n, struct bytes key, bool put)
{
	uint64_t h = keyhash(key) | 1;
	size_t i = (size_t)(h >> 1) & (n->early_cap - 1);

	for (; n->early[i]; i = (i + 1) & (n->early_cap - 1))
		if (n->early[i] == h)
			return true;
	if (put)
		n->early[i] = h;
	return false;
}

static void add_empty_dirs(struct names *n)
{
	const struct place *here = &n->inode->place;
	struct inodes *t = &n->m->inodes;
	struct inode *i;
	uint32_t at = 0;

	if (t->empty_dirs == 0 || here->node != NODE_DIR)
		return;
	for (n->early_cap = 16; n->early_cap < 2 * t->empty_dirs;)
		n->early_cap *= 2;
	n->early = mem_calloc(n->early_cap * sizeof(*n->early));
	while ((i = inode_next(t, &at))) {
		if (!i->empty_dir || i->place.kind != here->kind || i->place.db != here->db ||
		    i->place.raw != here->raw || i->place.numbered != here->numbered)
			continue;
		told_early(n, i->place.key, true);
		dirents_add_key(&n->found, i->place.key, S_IFDIR, inode_ino(i));
	}
}

/* --- names that are scanned for --- */

/* A container that is small now may hold what it held when it was a large one, and hands it all out at once. */
static bool told_before(const struct names *n, struct bytes member)
{
	const struct backend_ops *ops = n->m->backend->ops;

	return n->told && ops->told && ops->told(n->m->backend, n->told, member);
}

static void add_found(struct names *n, struct bytes key)
{
	struct place p = n->inode->place;
	bool members = in_key(n);

	if (name_length(key) > n->m->name_max) {
		n->m->names_too_long++;
		return;
	}
	if (members ? told_before(n, key) : n->early && told_early(n, key, false))
		return;
	p.node = members ? NODE_MEMBER : NODE_ENTRY;
	p.has_member = members;
	if (members)
		p.member = key;
	else
		p.key = key;
	dirents_add_key(&n->found, key, members ? p.kind->member_mode : p.kind->entry_mode,
			inodes_ino(&n->m->inodes, &p));
}

/* The elements of a reply that are names: each, or every other one. */
static int add_answers(struct names *n, struct answers *a, const struct answer *head)
{
	const struct kind *k = n->inode->place.kind;
	int stride = in_key(n) ? k->list_stride : k->names[0] ? k->names_stride : 1;
	struct answer piece;
	int err = 0;

	for (int64_t i = 0; i < head->n && !err; i++) {
		err = task_answer(a, &piece);
		if (!err && i % stride == 0)
			add_found(n, piece.text);
	}
	return err;
}

/* "# Server" in a text: the name of a section, in lower case. */
static void add_sections(struct names *n, struct bytes text)
{
	struct buf key = {0};

	for (const char *p = text.p, *end = text.p + text.n; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		key.n = 0;
		for (const char *c = p + 2; p[0] == '#' && c < stop && *c != '\r'; c++)
			buf_char(&key, (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c));
		if (key.n)
			add_found(n, buf_view(&key));
		p = stop + 1;
	}
	buf_free(&key);
}

/* Entries of a stream: an array of id and fields each. */
static int add_entries(struct names *n, struct answers *a, const struct answer *head)
{
	struct answer piece, id;
	int err = 0;

	n->done = head->n < SCAN_COUNT;
	for (int64_t i = 0; i < head->n && !err; i++) {
		err = task_answer(a, &piece);
		if (!err)
			err = task_answer(a, &id);
		if (err || id.text.n >= sizeof(n->cursor) - 1)
			break;
		n->cursor[0] = '(';
		memcpy(n->cursor + 1, id.text.p, id.text.n);
		n->cursor[id.text.n + 1] = '\0';
		add_found(n, id.text);
		if (!answers_next(a, &piece) || !answers_skip(a, &piece))
			err = EIO;
	}
	return err;
}

static void add_numbers(struct names *n)
{
	char number[NUM_BUF];

	for (int i = 0; i < NUMBERS_A_STEP && n->countdown > 0; i++) {
		size_t len = num_format_int(number, --n->countdown);
		add_found(n, bytes_of(number, len));
	}
}

/* --- the scan --- */

/* SCAN, and SSCAN and its kin. */
static bool is_scan(const char *command)
{
	size_t n = strlen(command);

	return n >= 4 && !strcmp(command + n - 4, "SCAN");
}

static bool is_stream(const struct kind *k)
{
	return k->list_members && k->list_members[0] == 'X';
}

static int take_reply(struct names *n, struct answers *a)
{
	const struct kind *k = n->inode->place.kind;
	bool whole = in_key(n) ? !is_scan(k->list_members) : k->names[0] != NULL;
	struct answer head;
	int err = task_answer(a, &head);

	if (!err && head.kind == ANSWER_INT) {
		n->countdown = head.n;
		n->done = head.n == 0;
		return 0;
	}
	if (!err && head.kind == ANSWER_BULK) {
		n->done = true;
		add_sections(n, head.text);
		return 0;
	}
	if (!err && head.kind == ANSWER_ARRAY && in_key(n) && is_stream(k))
		return add_entries(n, a, &head);
	if (err || head.kind != ANSWER_ARRAY)
		return err ? err : EIO;
	if (whole) {
		n->done = true;
		return add_answers(n, a, &head);
	}
	err = task_answer(a, &head);
	if (err || head.text.n == 0 || head.text.n >= sizeof(n->cursor))
		return err ? err : EIO;
	memcpy(n->cursor, head.text.p, head.text.n);
	n->cursor[head.text.n] = '\0';
	n->done = bytes_eq(head.text, BYTES("0"));
	err = task_answer(a, &head);
	return err ? err : add_answers(n, a, &head);
}

/* Names that come in no order are put in order so many at a time, few at the beginning: where the bounds are depends on nothing else,
 * so that offsets mean the same when a directory is read again. */
static void settle(struct names *n)
{
	struct dirents *d = &n->found;
	uint64_t before = d->count - d->nfresh;
	uint64_t want = before < ORDERED_MIN   ? ORDERED_MIN
			: before > ORDERED_MAX ? ORDERED_MAX
					       : before;

	if (!n->orderless)
		dirents_settle(d);
	else if (n->done || d->nfresh >= want)
		dirents_sort(d);
}

static void step_ends(struct names *n, int err)
{
	if (err == ERROR_TYPE || err == ENOENT) {
		/* The key went, or became something else: nothing more is in it. */
		n->done = true;
		err = 0;
	}
	if (!err && n->done)
		add_scratch(n);
	settle(n);
	if (!err && n->found.buf.failed)
		err = ENOMEM;
	n->err = err;
	n->answered(n);
}

static void scanned(void *arg, struct answers *a)
{
	struct names *n = arg;

	step_ends(n, take_reply(n, a));
}

/* The words of the next step's command. */
static int next_command(struct names *n, struct bytes *words)
{
	const struct place *p = &n->inode->place;
	const struct kind *k = p->kind;
	bool stream = in_key(n) && is_stream(k);
	int w = 0;

	if (!in_key(n) && k->names[0]) {
		for (; w < 3 && k->names[w]; w++)
			words[w] = bytes_str(k->names[w]);
		return w;
	}
	words[w++] = bytes_str(in_key(n) ? k->list_members : "SCAN");
	if (in_key(n))
		words[w++] = p->key;
	if (in_key(n) && !stream && !is_scan(k->list_members))
		return w;
	words[w++] = bytes_str(n->begun ? n->cursor : stream ? "-" : "0");
	n->told = n->begun && !stream ? strtoull(n->cursor, NULL, 10) : 0;
	if (stream)
		words[w++] = BYTES("+");
	words[w++] = BYTES("COUNT");
	words[w++] = BYTES(SCAN_COUNT_TEXT);
	if (in_key(n) && k->list_members[0] == 'H')
		words[w++] = BYTES("NOVALUES");
	if (!in_key(n) && k->type) {
		words[w++] = BYTES("TYPE");
		words[w++] = bytes_str(k->type);
	}
	return w;
}

/* What needs no scan. */
static void begin(struct names *n)
{
	const struct place *p = &n->inode->place;

	dirents_add(&n->found, BYTES("."), S_IFDIR, inode_ino(n->inode));
	dirents_add(&n->found, BYTES(".."), S_IFDIR, INODE_ROOT);
	dirents_settle(&n->found);
	n->orderless = is_scan(in_key(n) ? p->kind->list_members : ".SCAN");
	n->done = true;
	if (p->node == NODE_TOP || p->node == NODE_DBS)
		add_fixed(n);
	else if (p->node == NODE_DIR && p->kind->fixed)
		add_fixed_names(n, p->kind);
	else
		n->done = p->node == NODE_SCRATCH;
	add_empty_dirs(n);
}

void names_step(struct names *n)
{
	struct bytes words[8];

	if (!n->begun)
		begin(n);
	if (n->done) {
		step_ends(n, 0);
		return;
	}
	if (n->countdown) {
		add_numbers(n);
		n->done = n->countdown == 0;
		step_ends(n, 0);
		return;
	}
	struct backend_command cmd = {.argc = next_command(n, words), .argv = words};
	n->begun = true;
	backend_submit(n->m->backend, n->inode->place.db, &cmd, 1, scanned, n);
}
