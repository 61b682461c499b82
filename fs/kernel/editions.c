#include "fs/kernel/editions.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utlist.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/ops/ops.h"
#include "resp/log.h"
#include "resp/server.h"
#include "store/base/clock.h"
#include "store/base/mem.h"

/* Editions looked at for one that goes; a large value takes the room of many. */
#define LOOKS 64

void editions_start(struct mount *m)
{
	m->inodes.editions.m = m;
	m->inodes.editions.on = m->options.pagecache && m->inodes.cache.watching;
	if (m->options.pagecache && !m->inodes.editions.on)
		log_line(&m->server->config.log, LOG_LEVEL_WARNING,
			 "The mount option pagecache does nothing at %s: it needs Linux 6.16 or "
			 "later",
			 m->point);
}

/* The edition whose own @i is; of a file the one that is current. */
static struct edition *edition_of(const struct inode *i)
{
	return i->more ? i->more->edition : NULL;
}

static bool is_frozen(const struct inode *i)
{
	return i->edition && edition_of(i)->bytes;
}

struct inode *editions_file(const struct inode *i)
{
	return edition_of(i)->of;
}

struct inode *editions_meant(struct inode *i)
{
	return is_frozen(i) ? i : editions_file(i);
}

struct inode *editions_source(struct inode *i)
{
	return editions_current(editions_file(i)) == i ? editions_file(i) : i;
}

struct inode *editions_current(const struct inode *i)
{
	const struct edition *e = i->edition ? NULL : edition_of(i);

	return e ? e->inode : NULL;
}

const struct stat *editions_stat(const struct inode *i)
{
	return &edition_of(i)->attr;
}

void editions_set_time(struct inode *i, int64_t time_ns)
{
	struct stat *st = &edition_of(i)->attr;

	st->st_mtim.tv_sec = time_ns / 1000000000 - (time_ns % 1000000000 < 0);
	st->st_mtim.tv_nsec = time_ns - st->st_mtim.tv_sec * 1000000000;
	st->st_ctim = st->st_atim = st->st_mtim;
}

/* --- an edition's life --- */

/* The file's name leads to its own id again. It goes with the end of the turn, since who looks through a list of inodes may stand on it. */
static void not_current(struct inodes *t, struct edition *e)
{
	struct inode *file = e->of;

	if (edition_of(file) != e)
		return;
	file->more->edition = NULL;
	e->left = t->editions.left;
	t->editions.left = e;
}

static void drop_bytes(struct editions *all, struct edition *e)
{
	DL_DELETE(all->frozen, e);
	e->of->more->frozen--;
	all->count--;
	all->bytes -= e->size;
	mem_free(e->bytes);
	e->bytes = NULL;
}

/* Its id stands for the file from now on. What the kernel has of its attributes is to be taken back, as of any inode. */
static void melt(struct inodes *t, struct edition *e)
{
	not_current(t, e);
	drop_bytes(&t->editions, e);
	e->inode->watched = false;
	e->inode->attr_held = e->inode->nlookup > 0;
}

static void thaw(struct mount *m, struct edition *e)
{
	melt(&m->inodes, e);
	cache_take(m, e->inode);
}

bool editions_keep(struct inodes *t, struct inode *i)
{
	i->watched = false;
	if (!i->edition)
		return false; /* a file whose readers are counted: from the beginning again */
	if (i->opens) {
		not_current(t, edition_of(i));
		return true;
	}
	melt(t, edition_of(i));
	return false;
}

void editions_all_changed(struct mount *m)
{
	struct edition *e, *next;

	DL_FOREACH_SAFE(m->inodes.editions.frozen, e, next)
	{
		if (!editions_keep(&m->inodes, e->inode))
			cache_take(m, e->inode);
	}
}

/* The file is to be written: its name leads to itself from now on, whoever has the edition open. */
static void make_way(struct mount *m, struct inode *file)
{
	struct edition *e = edition_of(file);

	if (!e)
		return;
	not_current(&m->inodes, e);
	if (!e->inode->opens)
		thaw(m, e);
}

void editions_closed(struct mount *m, struct inode *i)
{
	if (is_frozen(i) && !i->opens && editions_current(editions_file(i)) != i)
		thaw(m, edition_of(i));
}

void editions_forgotten(struct inodes *t, struct inode *i)
{
	struct edition *e = edition_of(i);

	e->stored = false;
	if (is_frozen(i) && !i->opens && edition_of(e->of) != e)
		melt(t, e);
}

void editions_displaced(struct inodes *t, struct inode *i)
{
	struct edition *e = i->edition ? NULL : edition_of(i);

	if (e)
		not_current(t, e);
	if (i->edition || !i->more || !i->more->frozen)
		return;
	DL_FOREACH(t->editions.frozen, e)
	{
		if (e->of != i || !e->inode->nlookup)
			continue;
		e->inode->attr_held = true;
		cache_take(t->editions.m, e->inode);
	}
}

void editions_turn(struct inodes *t)
{
	while (t->editions.left) {
		struct edition *e = t->editions.left;
		t->editions.left = e->left;
		inode_unref(t, e->inode);
	}
}

void editions_free(struct inodes *t, struct inode *i)
{
	struct edition *e = edition_of(i);

	if (!e)
		return;
	if (e->bytes)
		drop_bytes(&t->editions, e);
	inode_unref(t, e->of);
	mem_free(e);
}

void editions_fini(struct inodes *t)
{
	struct inode *i;
	uint32_t at = 0;

	while ((i = inode_next(t, &at))) {
		struct edition *e = i->edition ? edition_of(i) : NULL;
		if (e)
			mem_free(e->bytes);
		mem_free(e);
		i->edition = false;
		if (i->more) {
			i->more->edition = NULL;
			i->more->frozen = 0;
		}
	}
}

/* --- making one --- */

static bool is_full(const struct editions *all, size_t size)
{
	return all->count >= EDITIONS_MAX || all->bytes + size > EDITIONS_BYTES;
}

/* Those that stay open are passed by, a few at a time. */
static bool has_room(struct mount *m, size_t size)
{
	struct editions *all = &m->inodes.editions;

	for (int looks = LOOKS; is_full(all, size) && all->frozen && looks; looks--) {
		struct edition *e = all->frozen;
		if (e->inode->opens) {
			DL_DELETE(all->frozen, e);
			DL_APPEND(all->frozen, e);
		} else {
			thaw(m, e);
		}
	}
	return !is_full(all, size);
}

/* Of what is in t->content, which is what the file holds now. */
static void make(struct task *t)
{
	struct editions *all = &t->m->inodes.editions;
	struct edition *e = mem_calloc(sizeof(*e));
	struct iovec iov[2];

	e->of = t->inode;
	e->size = content_size(&t->content);
	e->bytes = mem_alloc(e->size);
	ops_attr(t->m, t->inode, e->size, &e->attr);
	char *at = e->bytes;
	int n = content_range(&t->content, 0, e->size, iov);
	for (int k = 0; k < n; at += iov[k++].iov_len)
		memcpy(at, iov[k].iov_base, iov[k].iov_len);
	e->inode = inode_other(&t->m->inodes, t->inode);
	inode_ref(t->inode);
	inode_more(e->inode)->edition = inode_more(t->inode)->edition = e;
	t->inode->more->frozen++;
	e->inode->edition = true;
	cache_watch(t->m, e->inode);
	DL_APPEND(all->frozen, e);
	all->count++;
	all->bytes += e->size;
	all->made++;
}

/* --- sending a thread to another id --- */

static struct refusal *slots_next(struct editions *all, uint64_t *left)
{
	if (!*left)
		return NULL;
	int k = __builtin_ctzll(*left);
	*left &= *left - 1;
	return &all->refusals[k];
}

/* Whether @pid was told ESTALE at its last open, and to which file it was sent: who comes is not sent anywhere, though its path may lead to
 * another one by now. */
static bool came_back(struct editions *all, pid_t pid, uint64_t *file)
{
	uint64_t left = all->refused;
	struct refusal *r;

	while (pid && (r = slots_next(all, &left))) {
		if (r->pid != pid)
			continue;
		all->refused &= ~(UINT64_C(1) << (r - all->refusals));
		*file = r->file;
		return true;
	}
	return false;
}

/* Where it can be remembered: a thread that cannot be known again may be told ESTALE twice. */
static struct refusal *free_slot(struct editions *all, int64_t now)
{
	uint64_t left = all->refused;
	struct refusal *r;

	if (~left)
		return &all->refusals[__builtin_ctzll(~left)];
	while ((r = slots_next(all, &left)))
		if (r->until_usec < now)
			return r;
	return NULL;
}

static bool remember(struct editions *all, const struct inode *file, pid_t pid, bool writer)
{
	int64_t now = clock_us();
	struct refusal *r = free_slot(all, now);

	if (!r)
		return false;
	*r = (struct refusal){pid, writer, place_ino(&file->place), now + REFUSAL_USEC};
	all->refused |= UINT64_C(1) << (r - all->refusals);
	return true;
}

/* A writer was sent to @file and is on the way. */
static bool is_expected(struct editions *all, const struct inode *file)
{
	uint64_t left = all->refused;
	struct refusal *r;
	int64_t now = left ? clock_us() : 0;

	while ((r = slots_next(all, &left)))
		if (r->writer && r->until_usec >= now && r->file == place_ino(&file->place))
			return true;
	return false;
}

static pid_t thread_of(const struct task *t)
{
	return fuse_req_ctx(t->req)->pid;
}

static void again(struct task *t)
{
	t->m->inodes.editions.estale++;
	ops_reply_err(t, ESTALE);
}

/* --- reading --- */

static void store(struct mount *m, struct edition *e)
{
	struct {
		struct fuse_out_header head;
		struct fuse_notify_store_out out;
	} n = {{.error = FUSE_NOTIFY_STORE}, {.nodeid = e->inode->id, .size = (uint32_t)e->size}};
	struct iovec iov[] = {{&n, sizeof(n)}, {e->bytes, e->size}};

	n.head.len = (uint32_t)(sizeof(n) + e->size);
	/* Without it the kernel asks for the page. */
	e->stored = writev(fuse_session_fd(m->session), iov, 2) >= 0;
}

/* Nobody has it open yet whose READ might hold a page that is to be filled. */
static void open_frozen(struct task *t, struct edition *e)
{
	struct editions *all = &t->m->inodes.editions;
	struct fuse_file_info fi = {.flags = t->flags, .keep_cache = 1, .noflush = 1};

	if (!e->stored && !e->inode->opens)
		store(t->m, e);
	DL_DELETE(all->frozen, e);
	DL_APPEND(all->frozen, e);
	all->opens++;
	struct handle *h = handle_new(t->m, e->inode, t->flags, thread_of(t));
	fi.fh = (uintptr_t)h;
	if (fuse_reply_open(t->req, &fi) != 0) /* interrupted: it is never released */
		handle_free(h);
	task_free(t);
}

void editions_read(struct task *t, const struct inode *i)
{
	const struct edition *e = edition_of(i);
	size_t n = t->off < e->size ? e->size - (size_t)t->off : 0;

	fuse_reply_buf(t->req, n ? e->bytes + t->off : "", n < t->size ? n : t->size);
	task_free(t);
}

void editions_attr(struct task *t, const struct inode *i, double seconds)
{
	struct edition *e = edition_of(i);

	e->attr.st_nlink = e->of->listed ? 1 : 0;
	fuse_reply_attr(t->req, &e->attr, seconds);
	task_free(t);
}

/* --- opening --- */

/* Counted anew from each change: the key's are told while it is watched. */
static bool is_hot(struct mount *m, struct inode *i)
{
	struct inode_more *more = inode_more(i);
	int64_t now = clock_us();

	if (!i->watched) {
		cache_watch(m, i);
		more->reads = 0;
		more->reads_since = now;
	}
	unsigned least = m->options.page_opens;
	return more->reads++ >= least &&
	       now - more->reads_since >= least * (int64_t)EDITION_OPEN_USEC;
}

static void count_anew(struct inode *i)
{
	i->more->reads = 0;
	i->more->reads_since = clock_us();
}

/* The file's value is here: an edition of it, if all is still as it was, or the open that it would have been. */
static void loaded(struct task *t, int err)
{
	struct inode *i = t->inode;
	size_t size = err ? 0 : content_size(&t->content);

	count_anew(i);
	if (size && size <= EDITION_SIZE && cache_may_keep(t) && !edition_of(i) &&
	    has_room(t->m, size) && remember(&t->m->inodes.editions, i, thread_of(t), false)) {
		make(t);
		again(t);
		return;
	}
	content_free(&t->content);
	ops_open(t);
}

/* Whether who opens the file @i is to be sent to an edition, which may have to be made. */
static bool promote(struct task *t, struct inode *i)
{
	struct editions *all = &t->m->inodes.editions;
	bool data = i->place.node == NODE_ENTRY || i->place.node == NODE_MEMBER;

	if (!data || !i->place.kind->paged || !i->listed || i->scratch || !thread_of(t))
		return false;
	if (edition_of(i)) {
		if (!remember(all, i, thread_of(t), false))
			return false;
		again(t);
		return true;
	}
	if (!is_hot(t->m, i) || i->more->writing || is_expected(all, i) || !cache_may_keep(t))
		return false;
	t->content_max = EDITION_SIZE;
	task_then(t, loaded);
	place_ops(&i->place)->load(t);
	return true;
}

/* To @file itself. One that comes twice walks no path: it may go on if nobody has the edition open. */
static bool refuse_writer(struct task *t, struct inode *file, struct inode *asked, bool back)
{
	struct editions *all = &t->m->inodes.editions;

	make_way(t->m, file);
	if (asked == file || (!is_frozen(asked) && back))
		return false;
	remember(all, file, thread_of(t), true);
	again(t);
	return true;
}

bool editions_open(struct task *t, struct inode *asked)
{
	struct inode *file = asked->edition ? editions_file(asked) : asked;
	bool write = (t->flags & O_ACCMODE) != O_RDONLY || t->flags & O_TRUNC;
	uint64_t sent_to;
	bool back = came_back(&t->m->inodes.editions, thread_of(t), &sent_to);

	if (write)
		return refuse_writer(t, file, asked, back && sent_to == place_ino(&file->place));
	if (is_frozen(asked)) {
		open_frozen(t, edition_of(asked));
		return true;
	}
	return !back && promote(t, file);
}

bool editions_resize(struct task *t)
{
	struct inode *i = t->inode;
	struct inode *file = i->edition ? editions_file(i) : i;

	uint64_t sent_to;

	came_back(&t->m->inodes.editions, thread_of(t), &sent_to);
	make_way(t->m, file);
	if (!i->edition)
		return false;
	remember(&t->m->inodes.editions, file, thread_of(t), true);
	again(t);
	return true;
}
