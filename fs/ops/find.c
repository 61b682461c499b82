/* Names to places, places to attributes. */
#include "fs/kinds/walk.h"
#include "fs/ops/ops.h"
#include "fs/text/name.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/base/num.h"

static int place_in_top(const struct mount *m, struct bytes name, struct place *p)
{
	bool top = !p->numbered;
	const struct kind *k = kind_by_name(name, NULL);

	if (k) {
		p->node = NODE_DIR;
		p->kind = k;
		return 0;
	}
	if (bytes_eq(name, BYTES("ctl"))) {
		p->node = NODE_CTL;
		return 0;
	}
	if (top && bytes_eq(name, BYTES("db"))) {
		p->node = NODE_DBS;
		return 0;
	}
	if (top && !p->raw && bytes_eq(name, BYTES("raw"))) {
		p->raw = true;
		return 0;
	}
	(void)m;
	return ENOENT;
}

static int place_in_dbs(const struct mount *m, struct bytes name, struct place *p)
{
	uint64_t n;

	if (!num_parse_uint(name, &n) || n >= m->backend->ops->databases(m->backend))
		return ENOENT;
	p->node = NODE_TOP;
	p->numbered = true;
	p->db = (unsigned)n;
	return 0;
}

/* What lies in a scratch directory: the directory's path in front. */
static int place_in_scratch(const struct inode *parent, struct bytes name, struct place *p,
			    char **words)
{
	struct bytes above = scratch_path(&parent->place);

	if (!parent->scratch || !parent->scratch->dir)
		return ENOTDIR;
	if (above.n + 1 + name.n > SCRATCH_PATH_MAX)
		return ENAMETOOLONG;
	*words = mem_alloc(above.n + 1 + name.n);
	memcpy(*words, above.p, above.n);
	(*words)[above.n] = '/';
	memcpy(*words + above.n + 1, name.p, name.n);
	*(p->has_member ? &p->member : &p->key) = bytes_of(*words, above.n + 1 + name.n);
	return 0;
}

/* A key's name, or a scratch file's. */
static int place_below(struct bytes name, struct place *p, char **words)
{
	bool members = p->node == NODE_ENTRY;
	struct bytes decoded;

	if (members && !S_ISDIR(p->kind->entry_mode))
		return ENOTDIR;
	*words = mem_alloc(name.n);
	if (name.p[0] == '.') {
		memcpy(*words, name.p, name.n);
		decoded = bytes_of(*words, name.n);
		p->node = NODE_SCRATCH;
	} else if (name_decode(name, *words, &decoded)) {
		p->node = members ? NODE_MEMBER : NODE_ENTRY;
	} else {
		return ENOENT;
	}
	p->has_member = members;
	if (members)
		p->member = decoded;
	else
		p->key = decoded;
	return 0;
}

int ops_place(struct mount *m, const struct inode *parent, const char *name, struct place *out,
	      char **words)
{
	struct bytes s = bytes_str(name);

	*out = parent->place;
	*words = NULL;
	if (s.n == 0)
		return ENOENT;
	switch (parent->place.node) {
	case NODE_TOP:
		return place_in_top(m, s, out);
	case NODE_DBS:
		return place_in_dbs(m, s, out);
	case NODE_DIR:
		out->kind = kind_by_name(s, parent->place.kind->name);
		if (out->kind)
			return 0;
		out->kind = parent->place.kind;
		return place_below(s, out, words);
	case NODE_ENTRY:
		return place_below(s, out, words);
	case NODE_SCRATCH:
		return place_in_scratch(parent, s, out, words);
	case NODE_MEMBER:
	case NODE_CTL:
		break;
	}
	return ENOTDIR;
}

mode_t ops_mode(const struct mount *m, const struct place *p)
{
	mode_t mode = S_IFREG | 0666;

	switch (p->node) {
	case NODE_TOP:
	case NODE_DBS:
	case NODE_DIR:
		mode = S_IFDIR | 0777;
		break;
	case NODE_ENTRY:
		mode = p->kind->entry_mode;
		break;
	case NODE_MEMBER:
		mode = p->kind->member_mode;
		break;
	case NODE_CTL:
	case NODE_SCRATCH:
		break;
	}
	return S_ISLNK(mode) ? mode : mode & ~m->options.umask;
}

static int64_t changed_ns(struct mount *m, const struct inode *i)
{
	struct backend_facts f = {0};
	int64_t ns;

	if (i->scratch)
		return i->scratch->time_ns;
	if ((i->place.node == NODE_ENTRY || i->place.node == NODE_MEMBER) &&
	    !i->place.kind->keyless)
		m->backend->ops->facts(m->backend, i->place.db, i->place.key, &f);
	ns = f.stamped ? f.time_ns : m->backend->ops->latest_ms(m->backend) * 1000000;
	return S_ISDIR(ops_mode(m, &i->place)) && ns < m->names_ns ? m->names_ns : ns;
}

void ops_set_time(struct mount *m, const struct place *p, int64_t time_ns)
{
	const struct backend_ops *ops = m->backend->ops;

	if (p->node == NODE_ENTRY && S_ISREG(p->kind->entry_mode) && p->kind->type &&
	    !p->kind->keyless && ops->set_time)
		ops->set_time(m->backend, p->db, p->key, time_ns);
}

void ops_attr(struct mount *m, const struct inode *i, uint64_t size, struct stat *st)
{
	int64_t ns = changed_ns(m, i);

	*st = (struct stat){
		.st_ino = inode_ino(i),
		.st_mode = ops_mode(m, &i->place),
		.st_nlink = i->listed ? 1 : 0,
		.st_uid = m->options.uid,
		.st_gid = m->options.gid,
		.st_size = (off_t)size,
		.st_blksize =
			i->writers || size >= MOUNT_BIG_FROM ? MOUNT_BLKSIZE_BIG : MOUNT_BLKSIZE,
		.st_blocks = (blkcnt_t)((size + 511) / 512),
	};
	if (i->scratch && i->scratch->dir)
		st->st_mode = (S_IFDIR | 0777) & ~m->options.umask;
	if (S_ISDIR(st->st_mode) && i->listed)
		st->st_nlink = 2;
	st->st_mtim.tv_sec = ns / 1000000000 - (ns % 1000000000 < 0);
	st->st_mtim.tv_nsec = ns - st->st_mtim.tv_sec * 1000000000;
	st->st_ctim = st->st_atim = st->st_mtim;
}

/* What a file is to have while its name is no key yet. */
static uint64_t staged_size(const struct inode *i)
{
	uint64_t size = 0;

	for (const struct handle *h = i->writers; h; h = h->next)
		size = handle_staged(h).n;
	return size;
}

static void looked(struct task *t, int err)
{
	struct inode *i = t->inode;

	if (err == ERROR_CHANGED) {
		walk_again(t);
		ops_stat(t);
		return;
	}
	if (!err && i->empty_dir)
		inode_set_empty_dir(&t->m->inodes, i, false);
	if (err == ERROR_TYPE && i->empty_dir)
		inode_set_empty_dir(&t->m->inodes, i, false);
	if (err == ENOENT && i->empty_dir) {
		t->found_size = 0;
		err = 0;
	}
	const struct handle *own = NULL;

	if (i->writers && !t->handle)
		own = handle_of_writer(i, fuse_req_ctx(t->req)->pid);
	if (!err && own)
		t->found_size = handle_staged(own).n;
	if ((err == ENOENT || err == ERROR_TYPE) && i->creating) {
		t->found_size = staged_size(i);
		err = 0;
	}
	task_end(t, err);
}

void ops_stat(struct task *t)
{
	struct inode *i = t->inode;

	t->found_size = 0;
	if (t->handle)
		handle_refresh(t->handle);
	if (i->scratch) {
		t->found_size = i->scratch->data.n;
		task_end(t, 0);
	} else if (place_is_fixed(&i->place)) {
		task_end(t, 0);
	} else if (t->handle && t->handle->staged) {
		t->found_size = handle_staged(t->handle).n;
		task_end(t, 0);
	} else if (!i->listed) { /* removed while open */
		t->found_size = staged_size(i);
		task_end(t, 0);
	} else if (i->place.node == NODE_SCRATCH) {
		task_end(t, ENOENT);
	} else {
		task_then(t, looked);
		place_ops(&i->place)->stat(t);
	}
}

int ops_errno(int err)
{
	return err == ERROR_TYPE ? EINVAL : err;
}

void ops_reply_err(struct task *t, int err)
{
	fuse_reply_err(t->req, ops_errno(err));
	task_free(t);
}

void ops_reply_entry(struct task *t, int err)
{
	struct fuse_entry_param e = {0};
	struct inode *i = t->inode;

	if (err) {
		ops_reply_err(t, err);
		return;
	}
	cache_entry(t, &e.entry_timeout, &e.attr_timeout);
	if (t->as) {
		i = t->as;
		e.attr = *editions_stat(i);
	} else {
		ops_attr(t->m, i, t->found_size, &e.attr);
	}
	e.ino = i->id;
	i->nlookup++;
	if (fuse_reply_entry(t->req, &e) != 0)
		inode_forget(&t->m->inodes, i, 1);
	task_free(t);
}

void ops_reply_attr(struct task *t, int err)
{
	struct stat st;

	if (err) {
		ops_reply_err(t, err);
		return;
	}
	ops_attr(t->m, t->inode, t->found_size, &st);
	fuse_reply_attr(t->req, &st, t->setting ? 0 : cache_attr(t));
	task_free(t);
}

int ops_refused(struct mount *m, uint64_t bytes)
{
	const char *line = m->backend->ops->refusal(m->backend, bytes);

	if (m->options.ro)
		return EROFS;
	return line ? error_of_line(bytes_str(line)) : 0;
}

int ops_forbidden(struct mount *m, const struct place *p)
{
	bool data = p->node == NODE_ENTRY || p->node == NODE_MEMBER;

	if (!data || !p->kind->write)
		return 0;
	const struct bytes words[] = {bytes_str(p->kind->write), p->key, BYTES("0"), BYTES("0")};
	return m->backend->ops->may(m->backend, 4, words) ? 0 : EACCES;
}

struct task *ops_inode(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *m = mount_of(req);
	struct inode *i = inode_by_id(&m->inodes, ino),
		     *file = i && i->edition ? editions_meant(i) : i;

	if (!i) {
		fuse_reply_err(req, ESTALE);
		return NULL;
	}
	struct task *t = task_new(m, req, file);
	if (i != file)
		task_answers_as(t, i);
	return t;
}

struct task *ops_child(fuse_req_t req, fuse_ino_t parent, const char *name, int missing)
{
	struct mount *m = mount_of(req);
	struct inode *dir = inode_by_id(&m->inodes, parent);
	struct place place;
	char *words = NULL;
	int err = !dir ? ESTALE : !dir->listed ? ENOENT : ops_place(m, dir, name, &place, &words);

	if (err) {
		mem_free(words);
		fuse_reply_err(req, err == ENOENT ? missing : err);
		return NULL;
	}
	struct inode *i = inode_get(&m->inodes, &place);
	mem_free(words);
	struct task *t = task_new(m, req, i);
	inode_unref(&m->inodes, i);
	return t;
}

static void found(struct task *t, int err)
{
	struct fuse_entry_param e = {0};

	if (err == ENOENT || err == ERROR_TYPE)
		e.entry_timeout = cache_missing(t);
	if (e.entry_timeout > 0) {
		fuse_reply_entry(t->req, &e);
		task_free(t);
		return;
	}
	ops_reply_entry(t, err == ERROR_TYPE ? ENOENT : err);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct task *t = ops_child(req, parent, name, ENOENT);

	if (!t)
		return;
	t->sliced = true;
	task_then(t, found);
	ops_stat(t);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	if (t->inode->edition) {
		editions_attr(t, t->inode, CACHE_YEAR);
		return;
	}
	t->handle = fi ? ops_handle(fi) : NULL;
	t->sliced = true;
	task_then(t, ops_reply_attr);
	ops_stat(t);
}

/* access(2), where the kernel does not look at the permissions itself (allow_other): whoever may enter may do all, but that files are no
 * programs, and what the mount's user may not write. Without an answer the kernel would take everything for allowed. */
void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct task *t = ops_inode(req, ino);
	struct stat st;

	if (!t)
		return;
	ops_attr(t->m, t->inode, 0, &st);
	bool program = !S_ISREG(st.st_mode) || st.st_mode & 0111;
	ops_reply_err(t, mask & X_OK && !program ? EACCES
			 : mask & W_OK           ? ops_forbidden(t->m, &t->inode->place)
						 : 0);
}

static void forget(struct mount *m, uint64_t ino, uint64_t n)
{
	struct inode *i = inode_by_id(&m->inodes, ino);

	if (i && ino != INODE_ROOT)
		inode_forget(&m->inodes, i, n);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	forget(mount_of(req), ino, n);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *v)
{
	for (size_t i = 0; i < count; i++)
		forget(mount_of(req), v[i].ino, v[i].nlookup);
	fuse_reply_none(req);
}

static void link_loaded(struct task *t, int err)
{
	if (err) {
		ops_reply_err(t, err);
		return;
	}
	buf_free(&t->text);
	buf_bytes(&t->text, t->content.bytes);
	buf_char(&t->text, '\0');
	if (t->text.failed)
		fuse_reply_err(t->req, ENOMEM);
	else
		fuse_reply_readlink(t->req, t->text.p);
	task_free(t);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct task *t = ops_inode(req, ino);

	if (!t)
		return;
	if (t->at.node != NODE_ENTRY || !S_ISLNK(t->at.kind->entry_mode)) {
		ops_reply_err(t, EINVAL);
		return;
	}
	task_then(t, link_loaded);
	t->at.kind->entry->load(t);
}

/* "name:123" of an INFO text, 0 when it is not there. */
static uint64_t info_field(struct bytes info, const char *name)
{
	size_t n = strlen(name);
	uint64_t v = 0;

	for (const char *p = info.p, *end = info.p + info.n; p && p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		if ((size_t)(stop - p) > n && !memcmp(p, name, n) && p[n] == ':') {
			for (p += n + 1; p < stop && *p >= '0' && *p <= '9'; p++)
				v = v * 10 + (uint64_t)(*p - '0');
			return v;
		}
		p = nl ? nl + 1 : NULL;
	}
	return 0;
}

/* df: maxmemory is the size, used_memory what is used; without a limit the machine's memory is. */
static void memory_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	if (err) {
		ops_reply_err(t, err);
		return;
	}
	uint64_t used = info_field(piece.text, "used_memory");
	uint64_t total = info_field(piece.text, "maxmemory");
	if (total == 0)
		total = info_field(piece.text, "total_system_memory");
	struct statvfs st = {
		.f_bsize = MOUNT_BLKSIZE,
		.f_frsize = 4096,
		.f_blocks = total / 4096,
		.f_bfree = total > used ? (total - used) / 4096 : 0,
		.f_namemax = t->m->name_max,
	};
	st.f_bavail = st.f_bfree;
	fuse_reply_statfs(t->req, &st);
	task_free(t);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct task *t = ops_inode(req, ino ? ino : INODE_ROOT);
	struct bytes words[] = {BYTES("INFO"), BYTES("memory")};

	if (t)
		task_command(t, words, 2, memory_answered);
}
