/* server/: what the server tells of itself, its configuration, and the switch that saves. */
#include <inttypes.h>
#include <stdio.h>

#include "fs/fs.h"
#include "fs/handle.h"
#include "fs/kinds/kinds.h"
#include "fs/metrics.h"
#include "fs/text/rows.h"
#include "store/base/num.h"

/* --- texts --- */

/* The text of a reply, its lines ended as everywhere else. */
static int take_text(struct task *t, struct bytes text)
{
	struct buf out = {0};
	char *at = buf_room(&out, text.n + 1);

	if (!at)
		return ENOMEM;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			at[out.n++] = text.p[i];
	t->found_size = out.n;
	content_own(&t->content, &out);
	return 0;
}

static void text_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	int err = task_answer(a, &piece);

	if (!err && piece.text.n == 0)
		err = ENOENT; /* no such section */
	task_end(t, err ? err : take_text(t, piece.text));
}

/* --- info/SECTION --- */

static bool lower_case(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
	return true;
}

static void info_load(struct task *t)
{
	struct bytes words[] = {BYTES("INFO"), t->at.key};

	if (lower_case(t->at.key))
		task_command(t, words, 2, text_answered);
	else
		task_end(t, ENOENT);
}

const struct file_ops info_ops = {
	.stat = info_load,
	.load = info_load,
};

/* --- config/NAME --- */

static void config_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer head, piece;
	struct buf out = {0};
	int err = task_answer(a, &head);

	if (!err && answer_elements(&head) != 2)
		err = ENOENT; /* a pattern is no name */
	if (!err)
		err = task_answer(a, &piece);
	if (!err && !bytes_eq(piece.text, t->at.key))
		err = ENOENT;
	if (!err)
		err = task_answer(a, &piece);
	if (!err) {
		buf_bytes(&out, piece.text);
		buf_char(&out, '\n');
		t->found_size = out.n;
		content_own(&t->content, &out);
	}
	task_end(t, err);
}

static void config_load(struct task *t)
{
	struct bytes words[] = {BYTES("CONFIG"), BYTES("GET"), t->at.key};

	task_command(t, words, 3, config_answered);
}

static void config_store(struct task *t)
{
	struct bytes value = t->data;

	if (value.n && value.p[value.n - 1] == '\n')
		value.n--;
	struct bytes words[] = {BYTES("CONFIG"), BYTES("SET"), t->at.key, value};
	task_command(t, words, 4, task_done);
}

const struct file_ops config_ops = {
	.stat = config_load,
	.load = config_load,
	.store = config_store,
};

/* --- clients, metrics, save, slowlog, stats --- */

static void load_clients(struct task *t)
{
	struct bytes words[] = {BYTES("CLIENT"), BYTES("LIST")};

	task_command(t, words, 2, text_answered);
}

/* One entry: id, time, microseconds, [words], address, name. */
static int slowlog_entry(struct answers *a, struct buf *out)
{
	struct answer head, piece;
	struct buf command = {0};
	char number[NUM_BUF];
	int err = task_answer(a, &head);

	for (int64_t i = 0; !err && i < head.n; i++) {
		err = task_answer(a, &piece);
		if (err)
			break;
		if (piece.kind == ANSWER_INT) {
			rows_put_column(out, bytes_of(number, num_format_int(number, piece.n)),
					'\t');
		} else if (piece.kind == ANSWER_BULK) {
			rows_put_column(out, piece.text, '\t');
		} else {
			struct answer word;
			for (int64_t left = piece.n; left > 0 && !err; left--) {
				err = task_answer(a, &word);
				if (!err)
					rows_put_column(&command, word.text, left > 1 ? ' ' : '\n');
			}
		}
	}
	buf_bytes(out, buf_view(&command));
	bool failed = command.failed || out->failed;
	buf_free(&command);
	return err ? err : failed ? ENOMEM : 0;
}

static void slowlog_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer head;
	struct buf out = {0};
	int err = task_answer(a, &head);

	for (int64_t i = 0; !err && i < head.n; i++)
		err = slowlog_entry(a, &out);
	t->found_size = out.n;
	if (err)
		buf_free(&out);
	else
		content_own(&t->content, &out);
	task_end(t, err);
}

static void load_slowlog(struct task *t)
{
	struct bytes words[] = {BYTES("SLOWLOG"), BYTES("GET"), BYTES("-1")};

	task_command(t, words, 3, slowlog_answered);
}

/* The mount's own figures. */
static void load_stats(struct task *t)
{
	struct mount *m = t->m;
	const struct editions *all = &m->inodes.editions;
	const char *error = m->backend->ops->last_error(m->backend);
	unsigned files = 0, directories = 0, waiting = 0;
	char text[1024];

	for (const struct handle *h = m->handles; h; h = h->after) {
		*(h->dir ? &directories : &files) += 1;
		for (const struct task *w = h->parked.first; w; w = w->next)
			waiting++;
	}
	int n = snprintf(
		text, sizeof(text),
		"mount_point:%s\nmount_requests:%" PRIu64 "\nmount_known_names:%zu\n"
		"mount_open_files:%u\nmount_open_directories:%u\nmount_waiting_readers:%u\n"
		"mount_scratch_files:%zu\nmount_scratch_bytes:%zu\n"
		"mount_names_cached:%zu\nmount_withdrawn_attributes:%" PRIu64
		"\nmount_withdrawn_names:%" PRIu64 "\nmount_names_pruned:%" PRIu64
		"\nmount_names_too_long:%" PRIu64 "\nmount_editions:%zu\nmount_editions_bytes:%zu"
		"\nmount_editions_made:%" PRIu64 "\nmount_editions_opened:%" PRIu64
		"\nmount_opens_redirected:%" PRIu64 "\nmount_last_error:%s\n",
		m->point, m->requests, m->inodes.by_id.count, files, directories, waiting,
		m->scratches.files, m->scratches.bytes, m->inodes.cache.names,
		m->inodes.cache.attrs_taken, m->inodes.cache.epochs, m->inodes.cache.pruned,
		m->names_too_long, all->count, all->bytes, all->made, all->opens, all->estale,
		error);
	task_end(t, take_text(t, bytes_of(text,
					  n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1)));
}

static void lastsave_answered(void *arg, struct answers *a)
{
	struct task *t = arg;
	struct answer piece;
	char text[NUM_BUF + 1];
	int err = task_answer(a, &piece);

	if (!err) {
		size_t n = num_format_int(text, piece.n);
		text[n++] = '\n';
		err = take_text(t, bytes_of(text, n));
	}
	task_end(t, err);
}

/* When it was last saved. */
static void load_save(struct task *t)
{
	struct bytes words[] = {BYTES("LASTSAVE")};

	task_command(t, words, 1, lastsave_answered);
}

static void bgsave_answered(void *arg, struct answers *a)
{
	struct answer piece;
	int err = task_answer(a, &piece);

	/* What refuses it is nothing about the word that was written: another save or rewrite, or no second process. */
	task_end(arg, err == EINVAL ? EBUSY : err);
}

static void store_save(struct task *t)
{
	struct bytes words[] = {BYTES("BGSAVE")};

	if (bytes_eq(kinds_trim(t->data), BYTES("1")))
		task_command(t, words, 1, bgsave_answered);
	else
		task_end(t, EINVAL);
}

static const struct server_file {
	const char *name;
	void (*load)(struct task *t);
	void (*store)(struct task *t);
} files[] = {
	{"clients", load_clients, NULL}, {"metrics", metrics_load, NULL},
	{"save", load_save, store_save}, {"slowlog", load_slowlog, NULL},
	{"stats", load_stats, NULL},
};

static const struct server_file *find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (bytes_eq(name, bytes_str(files[i].name)))
			return &files[i];
	return NULL;
}

static void server_load(struct task *t)
{
	const struct server_file *f = find(t->at.key);

	if (f)
		f->load(t);
	else
		task_end(t, ENOENT);
}

static void server_store(struct task *t)
{
	const struct server_file *f = find(t->at.key);

	if (f && f->store)
		f->store(t);
	else
		task_end(t, f ? EPERM : ENOENT);
}

const struct file_ops server_ops = {
	.stat = server_load,
	.load = server_load,
	.store = server_store,
};
