#include "fs/kinds/kinds.h"

#include "fs/fs.h"
#include "fs/text/line.h"
#include "store/base/keyhash.h"
#include "store/base/mem.h"
#include "store/base/num.h"

#define FILE_MODE (S_IFREG | 0666)
#define DIR_MODE  (S_IFDIR | 0777)

static const char *const server_names[] = {"clients", "metrics", "save", "slowlog", "stats", NULL};

const struct kind kinds[] = {
	{
		.name = "string",
		.help = &string_help,
		.type = "string",
		.entry_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &string_ops,
		.write = "SET",
	},
	{
		.name = "list",
		.help = &list_help,
		.type = "list",
		.entry_mode = FILE_MODE,
		.creates = true,
		.entry = &lines_ops,
		.read = {"LRANGE", "0", "-1"},
		.write = "RPUSH",
		.columns = 1,
	},
	{
		.name = "set",
		.help = &set_help,
		.type = "set",
		.entry_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &lines_ops,
		.read = {"SMEMBERS"},
		.scan = "SSCAN",
		.write = "SADD",
		.columns = 1,
	},
	{
		.name = "zset",
		.help = &zset_help,
		.type = "zset",
		.entry_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &lines_ops,
		.read = {"ZRANGE", "0", "-1", "WITHSCORES"},
		.write = "ZADD",
		.columns = 2,
		.swapped = true,
	},
	{
		.name = "hash",
		.help = &hash_help,
		.type = "hash",
		.entry_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &lines_ops,
		.read = {"HGETALL"},
		.scan = "HSCAN",
		.write = "HSET",
		.columns = 2,
	},
	{
		.name = "hash.d",
		.help = &field_help,
		.type = "hash",
		.entry_mode = DIR_MODE,
		.member_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &container_ops,
		.write = "HSET",
		.member = &field_ops,
		.list_members = "HSCAN",
		.list_stride = 1,
	},
	{
		.name = "set.d",
		.help = &set_member_help,
		.type = "set",
		.entry_mode = DIR_MODE,
		.member_mode = FILE_MODE,
		.creates = true,
		.entry = &container_ops,
		.write = "SADD",
		.member = &set_member_ops,
		.list_members = "SSCAN",
		.list_stride = 1,
	},
	{
		.name = "zset.d",
		.help = &zset_member_help,
		.type = "zset",
		.entry_mode = DIR_MODE,
		.member_mode = FILE_MODE,
		.creates = true,
		.paged = true,
		.entry = &container_ops,
		.write = "ZADD",
		.member = &zset_member_ops,
		.list_members = "ZSCAN",
		.list_stride = 2,
	},
	{
		.name = "list.d",
		.help = &element_help,
		.type = "list",
		.entry_mode = DIR_MODE,
		.member_mode = FILE_MODE,
		.creates = true,
		.entry = &container_ops,
		.member = &element_ops,
		.list_members = "LLEN",
		.write = "LSET",
	},
	{
		.name = "stream",
		.help = &stream_help,
		.type = "stream",
		.entry_mode = FILE_MODE,
		.creates = true,
		.entry = &stream_ops,
		.write = "XADD",
	},
	{
		.name = "stream.d",
		.help = &entry_help,
		.type = "stream",
		.entry_mode = S_IFDIR | 0777,
		.member_mode = S_IFREG | 0444,
		.entry = &container_ops,
		.member = &entry_ops,
		.list_members = "XRANGE",
	},
	{
		.name = "queue",
		.help = &queue_help,
		.type = "list",
		.entry_mode = FILE_MODE,
		.creates = true,
		.tap = TAP_QUEUE,
		.at_once = true,
		.entry = &queue_ops,
		.write = "RPUSH",
		.columns = 1,
	},
	{
		.name = "pubsub",
		.help = &channel_help,
		.entry_mode = FILE_MODE,
		.creates = true,
		.tap = TAP_PUBSUB,
		.at_once = true,
		.keyless = true,
		.names = {"PUBSUB", "CHANNELS"},
		.names_stride = 1,
		.entry = &channel_ops,
		.columns = 1,
	},
	{
		.name = "server",
		.help = &server_help,
		.entry_mode = FILE_MODE,
		.at_once = true,
		.keyless = true,
		.fixed = server_names,
		.entry = &server_ops,
	},
	{
		.name = "info",
		.help = &info_help,
		.below = "server",
		.entry_mode = S_IFREG | 0444,
		.keyless = true,
		.names = {"INFO", "everything"},
		.entry = &info_ops,
	},
	{
		.name = "config",
		.help = &config_help,
		.below = "server",
		.entry_mode = FILE_MODE,
		.at_once = true,
		.keyless = true,
		.names = {"CONFIG", "GET", "*"},
		.names_stride = 2,
		.entry = &config_ops,
	},
	{
		.name = "key",
		.help = &key_help,
		.entry_mode = S_IFLNK | 0777,
		.entry = &key_ops,
	},
	{
		.name = "ttl",
		.help = &ttl_help,
		.entry_mode = FILE_MODE,
		.entry = &ttl_ops,
		.write = "EXPIRE",
	},
};

const int kinds_count = sizeof(kinds) / sizeof(kinds[0]);

const struct kind *kind_by_name(struct bytes name, const char *below)
{
	for (int i = 0; i < kinds_count; i++) {
		const struct kind *k = &kinds[i];
		bool here = k->below ? below && !strcmp(k->below, below) : !below;
		if (here && bytes_eq(name, bytes_str(k->name)))
			return k;
	}
	return NULL;
}

int kinds_splice(struct task *t, uint64_t off)
{
	size_t old = content_size(&t->content), end = (size_t)off + t->data.n;
	size_t total = end > old ? end : old;
	struct iovec iov[2];
	struct buf out = {0};

	if (total > t->m->backend->ops->max_value(t->m->backend))
		return EFBIG;
	char *at = buf_room(&out, total + 1);
	if (!at)
		return ENOMEM;
	size_t filled = 0;
	int n = content_range(&t->content, 0, old, iov);
	for (int i = 0; i < n; i++) {
		memcpy(at + filled, iov[i].iov_base, iov[i].iov_len);
		filled += iov[i].iov_len;
	}
	if (off > old)
		memset(at + old, 0, (size_t)off - old);
	if (t->data.n)
		memcpy(at + off, t->data.p, t->data.n);
	out.n = total;
	buf_free(&t->text);
	t->text = out;
	t->data = buf_view(&t->text);
	t->blob = NULL;
	return 0;
}

static void splice_loaded(struct task *t, uint64_t off, int err)
{
	if (err == ENOENT) { /* made by this write */
		content_free(&t->content);
		off = t->off == UINT64_MAX ? 0 : off;
		err = 0;
	}
	if (!err)
		err = kinds_splice(t, off);
	if (err) {
		task_end(t, err);
		return;
	}
	t->keep_ttl = true;
	place_ops(&t->at)->store(t);
}

static void append_loaded(struct task *t, int err)
{
	splice_loaded(t, content_size(&t->content), err);
}

static void patch_loaded(struct task *t, int err)
{
	splice_loaded(t, t->off, err);
}

void kinds_append(struct task *t)
{
	t->off = UINT64_MAX;
	task_then(t, append_loaded);
	place_ops(&t->at)->load(t);
}

void kinds_patch(struct task *t)
{
	task_then(t, patch_loaded);
	place_ops(&t->at)->load(t);
}

static void truncate_loaded(struct task *t, int err)
{
	size_t old = content_size(&t->content), want = (size_t)t->off;

	t->data = BYTES("");
	if (err == ENOENT && t->inode && t->inode->creating) { /* a name that is no key yet */
		content_free(&t->content);
		old = 0;
		err = 0;
	}
	if (!err && (want == old || (t->extend && want < old))) {
		task_end(t, 0);
		return;
	}
	if (!err && want <= t->content.bytes.n)
		t->data = bytes_of(t->content.bytes.p, want);
	else if (!err)
		err = kinds_splice(t, want > old ? want : old);
	if (err) {
		task_end(t, err);
		return;
	}
	t->keep_ttl = true;
	place_ops(&t->at)->store(t);
}

void kinds_resize(struct task *t)
{
	task_then(t, truncate_loaded);
	place_ops(&t->at)->load(t);
}

void kinds_truncate(struct task *t)
{
	if (place_ops(&t->at)->resize)
		place_ops(&t->at)->resize(t);
	else
		kinds_resize(t);
}

static void remove_checked(struct task *t, int err)
{
	struct bytes words[] = {BYTES("DEL"), t->at.key};

	if (err)
		task_end(t, err);
	else
		task_command(t, words, 2, task_done);
}

void kinds_remove_key(struct task *t)
{
	task_then(t, remove_checked);
	task_check_type(t, t->at.kind->type);
}

struct bytes kinds_stored(const struct task *t, bool *newline)
{
	*newline = !task_raw(t) && line_is_text(&t->data, 1);
	return bytes_of(t->data.p, t->data.n - *newline);
}

static struct inode *known(const struct task *t)
{
	if (t->inode && t->inode->place.node == t->at.node &&
	    bytes_eq(t->inode->place.key, t->at.key) &&
	    bytes_eq(t->inode->place.member, t->at.member))
		return t->inode;
	return inode_find(&t->m->inodes, &t->at);
}

void kinds_remember_newline(struct task *t, struct bytes value, bool newline)
{
	struct inode *i = known(t);

	if (!i)
		return;
	i->newline = newline;
	if (!newline)
		return;
	inode_more(i)->newline_hash = keyhash(value);
	inode_keep(&t->m->inodes, i);
}

bool kinds_had_newline(const struct task *t, struct bytes value)
{
	struct inode *i = task_raw(t) ? NULL : known(t);

	return i && i->newline && i->more->newline_hash == keyhash(value);
}

int kinds_take_value(struct task *t, struct answers *a)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	if (!err && piece.kind == ANSWER_NULL)
		err = ENOENT;
	if (!err && !content_take(&t->content, a, &piece))
		err = ENOMEM;
	return err;
}

void kinds_element_loaded(void *arg, struct answers *a)
{
	struct task *t = arg;
	int err = kinds_take_value(t, a);

	if (!err) {
		t->content.newline = kinds_had_newline(t, t->content.bytes);
		t->found_size = content_size(&t->content);
	}
	task_end(t, err);
}

struct bytes kinds_trim(struct bytes s)
{
	while (s.n && strchr(" \t\n", s.p[0]) && s.p[0])
		s.p++, s.n--;
	while (s.n && strchr(" \t\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

bool kinds_check_number(struct bytes s)
{
	double v;

	s = kinds_trim(s);
	while (s.n && s.p[s.n - 1] && strchr("+-.eE", s.p[s.n - 1]))
		s.n--;
	return s.n == 0 || num_parse_double(s, &v);
}

/* --- sizes that must be computed --- */

static bool stamp(const struct task *t, uint64_t *serial)
{
	struct backend_facts f = {0};

	t->m->backend->ops->facts(t->m->backend, t->at.db, t->at.key, &f);
	*serial = f.serial;
	return f.stamped;
}

/* Remember the size with the inode, if there is one by now. */
static void stat_loaded(struct task *t, int err)
{
	struct inode *i = inode_find(&t->m->inodes, &t->at);

	t->sized_only = false;
	if (!err && i) {
		struct inode_more *more = inode_more(i);
		i->sized = stamp(t, &more->sized_serial);
		more->size = t->found_size;
	}
	task_end(t, err);
}

static void stat_typed(struct task *t, int err)
{
	struct inode *i = inode_find(&t->m->inodes, &t->at);
	uint64_t serial;

	if (err) {
		task_end(t, err);
		return;
	}
	if (i && i->sized && stamp(t, &serial) && serial == i->more->sized_serial) {
		t->found_size = i->more->size;
		task_end(t, 0);
		return;
	}
	t->sized_only = true;
	task_then(t, stat_loaded);
	t->load(t);
}

void kinds_sized_stat(struct task *t, void (*load)(struct task *t))
{
	t->load = load;
	task_then(t, stat_typed);
	task_check_type(t, t->at.kind->type);
}
