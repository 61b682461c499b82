/* fs/kinds/kinds.h - the directories of the tree: what each shows, and by which commands.
 *
 * One const table. Looking up, listing and attributes are derived from it; a new directory is a row and the operations
 * of its files.
 */
#ifndef FS_KINDS_KINDS_H
#define FS_KINDS_KINDS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "fs/task.h"

/* The operations of one sort of file. Each works on t->at and ends the task with an errno; ENOENT when the key or
 * member is not there, ERROR_TYPE when the key holds another type. Those that are NULL are not supported (EOPNOTSUPP), but for append, patch
 * and resize, which then go through load and store. */
struct file_ops {
	/* Into t->found_size. */
	void (*stat)(struct task *t);
	/* Into t->content; with t->sized_only only its size into t->found_size. */
	void (*load)(struct task *t);
	/* Replace all by t->data. */
	void (*store)(struct task *t);
	/* t->data behind what there is; created when absent. */
	void (*append)(struct task *t);
	/* t->data at t->off. */
	void (*patch)(struct task *t);
	/* Make it t->off bytes long, with t->extend never shorter; NULL: by load and store. */
	void (*resize)(struct task *t);
	/* Make it exist with nothing in it, where the type can hold that; 0 when it is there already, EEXIST for t->excl. */
	void (*create)(struct task *t);
	/* Whether a new file may be made, asked before it stages; where it is NULL, the key's type alone decides. */
	void (*admit)(struct task *t);
	void (*remove)(struct task *t);
	/* Members: store t->data at t->at and remove the member of t->inode's place, of the same key, as one unit. */
	void (*move)(struct task *t);
	/* For the views with lines: how many bytes at the front of @text are good whole lines; false when a bad one follows them.
	 * @last takes a last line without newline, too. */
	bool (*check_lines)(const struct kind *k, struct bytes text, bool last, size_t *good);
	/* For the others: whether @text may be, or may become, what store takes. Shells drop errors from close, so it is asked at each write. */
	bool (*check)(struct bytes text);
};

/* What reading takes, and waits for: fs/waiting/tap.h. */
enum tap_kind { TAP_NONE, TAP_QUEUE, TAP_PUBSUB };

/* For people: inodis-mount(5) is made of it. What is NULL is refused. */
struct kind_help {
	const char *file; /* what stands behind the directory's name: "KEY", "KEY/FIELD" */
	const char *is;   /* what reading it shows */
	const char *over, *append, *remove, *move; /* >, >>, rm, mv */
	const char *poll; /* what poll waits for; NULL: ready at any time */
};

struct kind {
	const char *name;  /* of the directory */
	const char *type;  /* TYPE's word of the keys in it, NULL for any */
	mode_t entry_mode; /* of KEY: a file, a directory or a link, with its permissions */
	mode_t member_mode;
	bool creates; /* new names may be made in it (in KEY, where that is a directory) */
	enum tap_kind tap;
	bool at_once; /* each write is taken when it comes: nothing is staged, truncating means nothing */
	bool keyless; /* its names are no keys */
	bool paged; /* its small files may be read from the kernel's pages: fs/kernel/editions.h */
	const char *below; /* the directory that it stands in, NULL for those of the tree's top */
	const char *names
		[3]; /* the command that lists it, where SCAN does not: names, or a text of "# Section"s */
	int names_stride;
	const char *const *fixed;     /* or all its names, NULL behind the last */
	const struct file_ops *entry; /* KEY; for a directory only stat and remove */
	const struct file_ops *member;

	/* how members are listed: SSCAN and the like, XRANGE, or LLEN */
	const char *list_members;
	int list_stride; /* elements of a reply for each member */

	/* the views with lines */
	const char *read[4]; /* the command; its key comes second */
	const char *scan;    /* the one that reads a piece of it, where @read takes no positions */
	const char *
		write; /* takes rows behind the key; of the other kinds that are written, what a write is */
	int columns;
	bool swapped; /* the reply has the columns the other way round */
	const struct kind_help *help;
};

extern const struct kind kinds[];
extern const int kinds_count;

/* kinds/help.c, for the rows of the table. */
extern const struct kind_help string_help, list_help, set_help, zset_help, hash_help, field_help,
	set_member_help, zset_member_help, element_help, stream_help, entry_help, queue_help,
	channel_help, server_help, info_help, config_help, key_help, ttl_help;

static inline int kind_index(const struct kind *k)
{
	return (int)(k - kinds);
}

/* By a directory's name, and that of the one it stands in (NULL for the tree's top); NULL. */
const struct kind *kind_by_name(struct bytes name, const char *below);

extern const struct file_ops string_ops, lines_ops, field_ops, set_member_ops, zset_member_ops,
	container_ops, ttl_ops, key_ops, queue_ops, channel_ops, stream_ops, entry_ops, element_ops,
	server_ops, info_ops, config_ops;

/* The operations of what stands at @p. */
static inline const struct file_ops *place_ops(const struct place *p)
{
	return p->node == NODE_MEMBER ? p->kind->member : p->kind->entry;
}

/* --- shared by the kinds --- */

/* The stat of a view whose size takes @load (with t->sized_only): by the inode's memory of it while the key did not change. */
void kinds_sized_stat(struct task *t, void (*load)(struct task *t));

/* The views with lines: their check_lines, their append; @t->data, rows of the kind's columns, behind what is there. */
bool lines_check(const struct kind *k, struct bytes text, bool last, size_t *good);
void lines_append(struct task *t);

/* Copy t->data out of the way, joined with the content: [0, off) of it, data, and what stands behind off + data.n. With NULs where
 * off is past the end. The result is t->data. ENOMEM; EFBIG when it would be more than a value may have. */
int kinds_splice(struct task *t, uint64_t off);

/* append and patch by way of load and store. */
void kinds_append(struct task *t);
void kinds_patch(struct task *t);

/* Cut or extend to t->off bytes, as the file's resize does it or by load and store. */
void kinds_truncate(struct task *t);
void kinds_resize(struct task *t);

/* DEL at.key, if it has the kind's type. */
void kinds_remove_key(struct task *t);

/* t->data without the newline that the rule (not below raw/) does not store; *@newline whether there was one. */
struct bytes kinds_stored(const struct task *t, bool *newline);

/* Elements: remember with the inode that @value was written with a newline; ask whether it was. */
void kinds_remember_newline(struct task *t, struct bytes value, bool newline);
bool kinds_had_newline(const struct task *t, struct bytes value);

/* The one value that the command answered becomes t->content. ENOENT for no value, ENOMEM, or what the answer says. */
int kinds_take_value(struct task *t, struct answers *a);
/* The same of an element or a field, which may have been written with a newline; ends @arg, a task. */
void kinds_element_loaded(void *arg, struct answers *a);

/* Whether @s is a number, or the beginning of one. */
bool kinds_check_number(struct bytes s);

/* Text that a number was written as: without blanks and newlines around it. */
struct bytes kinds_trim(struct bytes s);

#endif
