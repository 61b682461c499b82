#include "fs/dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/name.h"
#include "fs/ops/ops.h"
#include "resp/net/loop.h"
#include "resp/server.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"

/* Names found, one behind the other: length, mode, inode number, bytes. */
struct item {
	uint64_t ino;
	uint32_t mode, n;
};

struct dir {
	struct inode *inode; /* borrowed from the handle */
	struct buf items;
	size_t at;         /* of the first item kept in items */
	uint64_t first;    /* its offset as the kernel counts, less one */
	uint64_t count;    /* items found since the listing began */
	char cursor[48];   /* of the scan, or the last id of a stream */
	int64_t countdown; /* names still to be made of numbers, the highest first, so that rm -r finds each where it was listed */
	bool begun, done;  /* of the scan; done also when nothing is to be scanned */
	uint64_t *seen;    /* open addressing; 0 is free */
	size_t nseen, seen_cap;
	bool answered, looping; /* the callback came while dir_fill was running */
	struct task *parked;    /* goes on when the others had their turn */
	struct loop_timer *timer;
};

/* COUNT of a step. One that finds none of the type looks at ten times as many buckets. */
#define SCAN_COUNT      100
#define SCAN_COUNT_TEXT "100"

/* How long one request may look for entries before clients are served in between. */
#define FILL_USEC 2000

struct dir *dir_open(struct inode *i)
{
	struct dir *d = mem_calloc(sizeof(*d));

	d->inode = i;
	return d;
}

void dir_close(struct dir *d)
{
	if (d->timer)
		loop_timer_remove(d->timer);
	if (d->parked)
		ops_reply_err(d->parked, EINTR);
	buf_free(&d->items);
	mem_free(d->seen);
	mem_free(d);
}

static void rewind_dir(struct dir *d)
{
	d->items.n = d->at = 0;
	d->first = d->count = 0;
	d->begun = d->done = false;
	d->countdown = 0;
	mem_free(d->seen);
	d->seen = NULL;
	d->nseen = d->seen_cap = 0;
}

/* --- what was sent --- */

static void seen_put(uint64_t *table, size_t cap, uint64_t h)
{
	size_t i = (size_t)h & (cap - 1);

	while (table[i])
		i = (i + 1) & (cap - 1);
	table[i] = h;
}

static bool seen_before(struct dir *d, struct bytes name)
{
	uint64_t h = keyhash(name) | 1;

	if (d->nseen >= DIR_DEDUP)
		return false;
	if (d->nseen * 2 >= d->seen_cap) {
		size_t cap = d->seen_cap ? d->seen_cap * 2 : 256;
		uint64_t *more = mem_calloc(cap * sizeof(*more));
		for (size_t i = 0; i < d->seen_cap; i++)
			if (d->seen[i])
				seen_put(more, cap, d->seen[i]);
		mem_free(d->seen);
		d->seen = more;
		d->seen_cap = cap;
	}
	size_t i = (size_t)h & (d->seen_cap - 1);
	for (; d->seen[i]; i = (i + 1) & (d->seen_cap - 1))
		if (d->seen[i] == h)
			return true;
	d->seen[i] = h;
	d->nseen++;
	return false;
}

static void add(struct dir *d, struct bytes name, mode_t mode, uint64_t ino)
{
	struct item item = {.ino = ino, .mode = mode, .n = (uint32_t)name.n};

	buf_put(&d->items, &item, sizeof(item));
	buf_bytes(&d->items, name);
	buf_char(&d->items, '\0');
	d->count++;
}

/* --- finding --- */

static bool is_stream(const struct kind *k)
{
	return k->list_members && k->list_members[0] == 'X';
}

static void add_place(struct dir *d, struct bytes name, const struct place *p, mode_t mode)
{
	add(d, name, mode, place_ino(p));
}

static void add_dots(struct dir *d)
{
	add(d, BYTES("."), S_IFDIR, d->inode->ino);
	add(d, BYTES(".."), S_IFDIR, INODE_ROOT);
}

static void add_fixed(struct dir *d, const struct mount *m)
{
	struct place p = d->inode->place;
	bool top = !p.numbered;
	char number[16];

	if (p.node == NODE_DBS) {
		p.node = NODE_TOP;
		p.numbered = true;
		for (p.db = 0; p.db < m->backend->ops->databases(m->backend); p.db++) {
			int n = snprintf(number, sizeof(number), "%u", p.db);
			add_place(d, bytes_of(number, (size_t)n), &p, S_IFDIR);
		}
		return;
	}
	p.node = NODE_DIR;
	for (int i = 0; i < kinds_count; i++) {
		p.kind = &kinds[i];
		if (!kinds[i].below)
			add_place(d, bytes_str(kinds[i].name), &p, S_IFDIR);
	}
	p.kind = NULL;
	p.node = NODE_CTL;
	add_place(d, BYTES("ctl"), &p, S_IFREG);
	p.node = NODE_DBS;
	if (top)
		add_place(d, BYTES("db"), &p, S_IFDIR);
	p.node = NODE_TOP;
	p.raw = true;
	if (top && !d->inode->place.raw)
		add_place(d, BYTES("raw"), &p, S_IFDIR);
}

/* What always stands in a directory of the tree: names of the table, and other directories. */
static void add_fixed_names(struct dir *d, const struct kind *k)
{
	struct place p = d->inode->place;

	for (int i = 0; i < kinds_count; i++) {
		p.kind = &kinds[i];
		if (kinds[i].below && !strcmp(kinds[i].below, k->name))
			add_place(d, bytes_str(kinds[i].name), &p, S_IFDIR);
	}
	p.node = NODE_ENTRY;
	p.kind = k;
	for (int i = 0; k->fixed[i]; i++) {
		p.key = bytes_str(k->fixed[i]);
		add_place(d, p.key, &p, k->entry_mode);
	}
}

/* Directories that mkdir made and that are no keys yet. */
static void add_empty_dirs(struct dir *d, struct mount *m)
{
	struct inode *i, *next;
	struct buf name = {0};

	if (m->inodes.empty_dirs == 0 || d->inode->place.node != NODE_DIR)
		return;
	HASH_ITER (by_id, m->inodes.by_id, i, next) {
		if (!i->empty_dir || i->place.kind != d->inode->place.kind ||
		    i->place.db != d->inode->place.db || i->place.raw != d->inode->place.raw ||
		    i->place.numbered != d->inode->place.numbered)
			continue;
		name.n = 0;
		name_encode(&name, i->place.key);
		if (!seen_before(d, buf_view(&name)))
			add(d, buf_view(&name), S_IFDIR, i->ino);
	}
	buf_free(&name);
}

static void add_scratch(struct dir *d, struct mount *m)
{
	struct bytes name;

	for (struct scratch *f = m->scratches.list; f; f = f->next)
		if (f->inode->listed && scratch_is_in(&f->inode->place, &d->inode->place, &name))
			add(d, name, f->dir ? S_IFDIR : S_IFREG, f->inode->ino);
}

static void add_found(struct dir *d, struct mount *m, struct bytes key, struct buf *name)
{
	struct place p = d->inode->place;
	bool members = p.node == NODE_ENTRY;

	if (name_length(key) > m->name_max) {
		m->names_too_long++;
		return;
	}
	name->n = 0;
	name_encode(name, key);
	if (name->failed || seen_before(d, buf_view(name)))
		return;
	p.node = members ? NODE_MEMBER : NODE_ENTRY;
	p.has_member = members;
	if (members)
		p.member = key;
	else
		p.key = key;
	add_place(d, buf_view(name), &p, members ? p.kind->member_mode : p.kind->entry_mode);
}

/* The elements of a reply that are names: each, or every other one. */
static int add_answers(struct task *t, struct dir *d, struct answers *a, const struct answer *head)
{
	struct answer piece;
	struct buf name = {0};
	const struct kind *k = t->at.kind;
	int stride = d->inode->place.node == NODE_ENTRY ? k->list_stride
		     : k->names[0]                      ? k->names_stride
							: 1;
	int err = 0;

	for (int64_t i = 0; i < head->n && !err; i++) {
		err = task_answer(a, &piece);
		if (!err && i % stride == 0)
			add_found(d, t->m, piece.text, &name);
	}
	buf_free(&name);
	return err;
}

/* "# Server" in a text: the name of a section, in lower case. */
static void add_sections(struct task *t, struct dir *d, struct bytes text)
{
	struct buf name = {0}, key = {0};

	for (const char *p = text.p, *end = text.p + text.n; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		key.n = 0;
		for (const char *c = p + 2; p[0] == '#' && c < stop && *c != '\r'; c++)
			buf_char(&key, (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c));
		if (key.n)
			add_found(d, t->m, buf_view(&key), &name);
		p = stop + 1;
	}
	buf_free(&name);
	buf_free(&key);
}

/* Entries of a stream: an array of id and fields each. */
static int add_entries(struct task *t, struct dir *d, struct answers *a, const struct answer *head)
{
	struct answer piece, id;
	struct buf name = {0};
	int err = 0;

	d->done = head->n < SCAN_COUNT;
	for (int64_t i = 0; i < head->n && !err; i++) {
		err = task_answer(a, &piece);
		if (!err)
			err = task_answer(a, &id);
		if (err || id.text.n >= sizeof(d->cursor) - 1)
			break;
		d->cursor[0] = '(';
		memcpy(d->cursor + 1, id.text.p, id.text.n);
		d->cursor[id.text.n + 1] = '\0';
		add_found(d, t->m, id.text, &name);
		if (!answers_next(a, &piece) || !answers_skip(a, &piece))
			err = EIO;
	}
	buf_free(&name);
	return err;
}

static void add_numbers(struct task *t, struct dir *d)
{
	struct buf name = {0};
	char number[NUM_BUF];

	for (int i = 0; i < 1000 && d->countdown > 0; i++) {
		size_t n = num_format_int(number, --d->countdown);
		add_found(d, t->m, bytes_of(number, n), &name);
	}
	buf_free(&name);
}

static int take_scan(struct task *t, struct dir *d, struct answers *a)
{
	struct answer head;
	int err = task_answer(a, &head);
	bool entry = t->at.node == NODE_ENTRY;
	bool whole = entry ? t->at.kind->list_members[1] != 'S' : t->at.kind->names[0] != NULL;

	if (!err && head.kind == ANSWER_INT) {
		d->countdown = head.n;
		d->done = true;
		return 0;
	}
	if (!err && head.kind == ANSWER_BULK) {
		d->done = true;
		add_sections(t, d, head.text);
		return 0;
	}
	if (!err && head.kind == ANSWER_ARRAY && entry && is_stream(t->at.kind))
		return add_entries(t, d, a, &head);
	if (err || head.kind != ANSWER_ARRAY)
		return err ? err : EIO;
	if (whole) {
		d->done = true;
		return add_answers(t, d, a, &head);
	}
	err = task_answer(a, &head);
	if (err || head.text.n == 0 || head.text.n >= sizeof(d->cursor))
		return err ? err : EIO;
	memcpy(d->cursor, head.text.p, head.text.n);
	d->cursor[head.text.n] = '\0';
	d->done = bytes_eq(head.text, BYTES("0"));
	err = task_answer(a, &head);
	return err ? err : add_answers(t, d, a, &head);
}

static void dir_fill(struct task *t);

static void scanned(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct dir *d = t->handle->dir;
	int err = take_scan(t, d, a);

	if (err == ERROR_TYPE ||
	    err == ENOENT) { /* the key went, or became something else: an empty listing */
		d->done = true;
		err = 0;
	}
	if (!err && d->done) {
		add_empty_dirs(d, t->m);
		add_scratch(d, t->m);
	}
	t->number = err;
	d->answered = true;
	if (!d->looping)
		dir_fill(t);
}

static void scan(struct task *t, struct dir *d)
{
	struct bytes words[7];
	const struct kind *k = t->at.kind;
	int n = 0;

	if (t->at.node == NODE_ENTRY && is_stream(k)) {
		words[n++] = BYTES("XRANGE");
		words[n++] = t->at.key;
		words[n++] = bytes_str(d->begun ? d->cursor : "-");
		words[n++] = BYTES("+");
		words[n++] = BYTES("COUNT");
		words[n++] = BYTES(SCAN_COUNT_TEXT);
		d->begun = true;
		task_command(t, words, n, scanned);
		return;
	}
	if (t->at.node == NODE_DIR && k->names[0]) {
		for (; n < 3 && k->names[n]; n++)
			words[n] = bytes_str(k->names[n]);
		task_command(t, words, n, scanned);
		return;
	}
	if (t->at.node == NODE_ENTRY) {
		words[n++] = bytes_str(t->at.kind->list_members);
		words[n++] = t->at.key;
		if (t->at.kind->list_members[1] != 'S') {
			task_command(t, words, n, scanned);
			return;
		}
	} else {
		words[n++] = BYTES("SCAN");
	}
	words[n++] = bytes_str(d->begun ? d->cursor : "0");
	words[n++] = BYTES("COUNT");
	words[n++] = BYTES(SCAN_COUNT_TEXT);
	if (t->at.node == NODE_DIR && t->at.kind->type) {
		words[n++] = BYTES("TYPE");
		words[n++] = bytes_str(t->at.kind->type);
	}
	d->begun = true;
	task_command(t, words, n, scanned);
}

/* --- answering --- */

/* Items before offset @off are not asked for again. */
static void drop_before(struct dir *d, uint64_t off)
{
	while (d->first < off && d->at < d->items.n) {
		struct item item;
		memcpy(&item, d->items.p + d->at, sizeof(item));
		d->at += sizeof(item) + item.n + 1;
		d->first++;
	}
	if (d->at > 65536 && d->at * 2 > d->items.n) {
		memmove(d->items.p, d->items.p + d->at, d->items.n - d->at);
		d->items.n -= d->at;
		d->at = 0;
	}
}

/* Items into @out as the kernel reads them. True when it is full. */
static bool put_items(struct task *t, struct dir *d, struct buf *out, size_t *from, uint64_t *off)
{
	while (*from < d->items.n) {
		struct item item;
		memcpy(&item, d->items.p + *from, sizeof(item));
		struct stat st = {.st_ino = item.ino, .st_mode = item.mode};
		const char *name = d->items.p + *from + sizeof(item);
		size_t n = fuse_add_direntry(t->req, out->p + out->n, t->size - out->n, name, &st,
					     (off_t)*off + 1);
		if (n > t->size - out->n && out->n)
			return true;
		if (n <= t->size - out->n)
			out->n += n; /* a name that fits no buffer at all is left out */
		*from += sizeof(item) + item.n + 1;
		++*off;
	}
	return false;
}

static void answer(struct task *t, struct dir *d)
{
	struct buf out = {0};
	size_t from = d->at;
	uint64_t off = t->off;

	if (t->number || !buf_room(&out, t->size)) {
		fuse_reply_err(t->req, t->number ? (int)t->number : ENOMEM);
	} else {
		put_items(t, d, &out, &from, &off);
		fuse_reply_buf(t->req, out.p, out.n);
	}
	buf_free(&out);
	task_free(t);
}

static int64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t go_on(void *arg)
{
	struct dir *d = arg;
	struct task *t = d->parked;

	d->parked = NULL;
	d->timer = NULL;
	dir_fill(t);
	return -1;
}

/* The few lists among millions of strings take long to find: nobody else shall wait for it. */
static bool park(struct task *t, struct dir *d, int64_t began)
{
	if (now_usec() - began < FILL_USEC)
		return false;
	d->parked = t;
	d->timer = loop_timer_add(t->m->server->loop, 1, go_on, d);
	return true;
}

/* Scan until the buffer can be filled. The loop stands here, not in the callback, so that a sparse scan is no deep stack. */
static void dir_fill(struct task *t)
{
	struct dir *d = t->handle->dir;

	int64_t began = now_usec();

	d->looping = true;
	for (;;) {
		if (d->items.failed)
			t->number = ENOMEM;
		drop_before(d, t->off);
		if (d->countdown && d->items.n - d->at < t->size) {
			add_numbers(t, d);
			continue;
		}
		bool enough = d->first == t->off && d->items.n - d->at >= t->size;
		if (t->number || enough || d->done)
			break;
		d->answered = false;
		scan(t, d);
		if (!d->answered || (!d->done && park(t, d, began))) {
			d->looping = false;
			return;
		}
	}
	d->looping = false;
	answer(t, d);
}

void dir_read(struct dir *d, struct task *t)
{
	if (t->off < d->first || t->off == 0)
		rewind_dir(d);
	t->number = 0;
	if (d->count == 0 && !d->begun && !d->done) {
		add_dots(d);
		if (t->at.node == NODE_TOP || t->at.node == NODE_DBS) {
			add_fixed(d, t->m);
			d->done = true;
		} else if (t->at.node == NODE_DIR && t->at.kind->fixed) {
			add_fixed_names(d, t->at.kind);
			add_scratch(d, t->m);
			d->done = true;
		} else if (t->at.node == NODE_SCRATCH) {
			add_scratch(d, t->m);
			d->done = true;
		}
	}
	dir_fill(t);
}
