/* fs/kernel/editions.h - values that are read from the kernel's page cache (-o pagecache), without asking the server.
 *
 * The kernel does not keep a value whole that changes (README.md). So one that is read again and again gets a node id of its own, an
 * edition: bytes, size and time of that id are the same for ever, and all who open it read from the kernel's pages. LOOKUP answers
 * the edition as long as it is what the key holds. When the key changes, before any reply leaves:
 *
 * - nobody has it open: it thaws. The id stands for the file from then on, as the file's own id does, and is never read from pages again;
 * - somebody has: the name is taken back (a new epoch), and the edition stays what it was until the last one closes it. Only then it thaws.
 *
 * Nobody writes through an edition's id, so that size and pages of it never change: OPEN for writing is answered ESTALE. The kernel then
 * walks the path again, once, asking for every name, and is told the file's own id, which takes all writes. Who reads is sent to a
 * new edition in the same way. A second ESTALE would be the caller's: after it was told one, a thread is not told another one
 * (struct refusal), and a file that a writer was sent to gets no edition before he has come. What remains is who opens
 * /proc/self/fd/N of an edition for writing, while somebody has it open: there is no path to walk.
 *
 * Memory: an edition's bytes are copies, EDITIONS_BYTES at most, and references its file; the file references the one that is current.
 */
#ifndef FS_KERNEL_EDITIONS_H
#define FS_KERNEL_EDITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct handle;
struct inode;
struct inodes;
struct mount;
struct task;

/* What gets one: a value that did not change while it was opened so often to be read, and for so long (pagecache=N: N times, at least so
 * many microseconds each). Making one costs about what opening and reading costs without it, and each open after that a third or less. It is not
 * done sooner because a change may take an epoch with it. */
#define EDITION_OPENS     16
#define EDITION_OPENS_MAX 1000000
#define EDITION_OPEN_USEC 15625
#define EDITION_SIZE      ((size_t)64 << 10) /* at most */

/* With more the one that was opened longest ago thaws. */
#define EDITIONS_MAX   4096
#define EDITIONS_BYTES ((size_t)32 << 20)

struct edition {
	struct inode *inode; /* its owner, not listed */
	struct inode *of;    /* the file, referenced */
	char *bytes;         /* owned; NULL: it has thawed */
	size_t size;
	struct stat attr;
	bool stored;                 /* the kernel was given the bytes */
	struct edition *prev, *next; /* frozen ones, opened longest ago first */
	struct edition *left;        /* the next that is to be let go at the end of the turn */
};

/* A thread that was told ESTALE, until it comes back. */
struct refusal {
	pid_t pid;
	bool writer;
	uint64_t file;      /* its place's number, which a rename leaves as it is */
	int64_t until_usec; /* then it has gone elsewhere */
};

#define REFUSALS     64
#define REFUSAL_USEC 10000000

struct editions {
	bool on;
	struct mount *m; /* when on */
	struct edition *frozen, *left;
	size_t count, bytes; /* of the frozen */
	uint64_t refused;    /* which of the refusals there are */
	struct refusal refusals[REFUSALS];
	uint64_t made, opens, estale; /* how often */
};

/* --- what the kernel asks; all but editions_start only when m->inodes.editions.on --- */

void editions_start(struct mount *m);

/* OPEN of @asked, an id of @t->inode's file or t->inode itself. True: it was answered, or will be. False: as without editions. */
bool editions_open(struct task *t, struct inode *asked);

/* SETATTR of a size, of an id of the file or an edition. True: it was answered. */
bool editions_resize(struct task *t);

/* READ of an open edition, its attributes. Both answer. */
void editions_read(struct task *t, const struct inode *i);
void editions_attr(struct task *t, const struct inode *i, double seconds);

/* The file of the edition @i; and what a request for @i means: the same when it has thawed. */
struct inode *editions_file(const struct inode *i);
struct inode *editions_meant(struct inode *i);
/* What COPY copies if the edition @i is to be copied: the file while it holds that, else @i, which is no key. */
struct inode *editions_source(struct inode *i);

/* The one that LOOKUP of the file @i is to answer, NULL for the file itself. */
struct inode *editions_current(const struct inode *i);
const struct stat *editions_stat(const struct inode *i);
/* It was given a time. */
void editions_set_time(struct inode *i, int64_t time_ns);

/* --- what happens to them --- */

/* The key of @i, which is watched, changed. True: it is open and stays as it was. */
bool editions_keep(struct inodes *t, struct inode *i);
/* All keys did. */
void editions_all_changed(struct mount *m);
/* A handle of the edition @i was closed, or one for writing of a file. */
void editions_closed(struct mount *m, struct inode *i);
/* The kernel has forgotten @i, which may be what it does with an id before it asks for it again; the file @i loses its place, and what of
 * it is open a link. */
void editions_forgotten(struct inodes *t, struct inode *i);
void editions_displaced(struct inodes *t, struct inode *i);
/* At the end of a turn. */
void editions_turn(struct inodes *t);

/* @i is being freed. */
void editions_free(struct inodes *t, struct inode *i);
/* All inodes are about to be, in any order. */
void editions_fini(struct inodes *t);

#endif
