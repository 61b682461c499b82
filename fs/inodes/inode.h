/* fs/inodes/inode.h - what the kernel knows by number: places in the tree, counted as the kernel counts them.
 *
 * A place is where something stands: its kind of node, the database, the key, the member. An inode is a place that the kernel has
 * looked up and not yet forgotten, or that an open file or a request holds. Node ids are numbers of nodes.h: one from the kernel is
 * checked, never followed. st_ino is a hash of the place, stable for the life of a key, but for what numbers.h tells.
 */
#ifndef FS_INODES_INODE_H
#define FS_INODES_INODE_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/inodes/nodes.h"
#include "fs/inodes/numbers.h"
#include "fs/kernel/cache.h"
#include "fs/kernel/editions.h"
#include "store/base/bytes.h"
#include "store/types/table.h"

struct edition;
struct inode;
struct kind;
struct scratch;
struct follow;
struct handle;
struct moved;

enum node {
	NODE_TOP,    /* the root, raw/, db/N/: holds the directories of types */
	NODE_DBS,    /* db/ */
	NODE_DIR,    /* string/, list/, ... of place.kind */
	NODE_ENTRY,  /* KEY in such a directory: a file, a directory (hash.d) or a link (key) */
	NODE_MEMBER, /* MEMBER in a NODE_ENTRY that is a directory */
	NODE_CTL,    /* ctl */
	NODE_SCRATCH, /* a name with a dot in front: not a key. place.key is the name, or the member is when has_member */
};

struct place {
	enum node node : 8;
	bool raw;      /* below raw/ */
	bool numbered; /* below db/ */
	bool has_member;
	unsigned db;
	const struct kind *kind; /* from NODE_DIR down */
	struct bytes key, member;
};

/* What few inodes have. */
struct inode_more {
	/* The size of a view that had to be computed, while the key's stamp is @sized_serial. */
	uint64_t sized_serial, size;
	struct follow *follow; /* of a stream: kinds/stream.h */
	uint64_t newline_hash; /* of an element whose newline is shown */
	uint64_t heard;        /* a channel: bytes that its readers were given */
	struct moved *moved;   /* the place's bytes, since it stands elsewhere than it was made */

	/* fs/kernel/editions.h */
	struct edition *edition; /* its own, or of a file the one that is current */
	unsigned frozen;         /* editions of the file */
	unsigned reads;          /* opens to read it since @reads_since, while it is watched */
	unsigned writing;        /* open files that may write */
	int64_t reads_since;     /* microseconds */
	struct number *number;   /* st_ino, where the place does not say it */
};

/* There is one for every name that the kernel remembers, so every field counts: with its key it is to stay within 160 bytes. */
struct inode {
	uint64_t id; /* the kernel's node id */
	uint64_t nlookup;
	unsigned refs;     /* open files and requests */
	unsigned opens;    /* open files and directories */
	unsigned creating; /* open files that made this name, before it is a key */
	uint16_t
		attr_at; /* its place among those whose attributes were given away last: fs/kernel/cache.h */
	bool listed : 1;  /* found by its place; an unlinked one is not */
	bool sized : 1;   /* more->size is known */
	bool newline : 1; /* an element written with a newline that is not stored: shown again while it still hashes to newline_hash */
	bool kept : 1;    /* for that: inode_keep */
	bool empty_dir : 1; /* mkdir made it, or its last member was removed: there until rmdir. Holds a reference. */

	/* What the kernel may answer from its own memory: fs/kernel/cache.h */
	bool attr_held : 1;  /* its attributes were given away */
	bool attr_late : 1;  /* and taken back before the kernel had made its inode */
	bool own : 1;        /* the kernel is itself taking the name away */
	bool watched : 1;    /* the next change of its key is told to fs/kernel/editions.h */
	bool edition : 1;    /* it is an edition, or was one: more->edition is its own */
	uint32_t held_group; /* its key's in change notes, while it is in the table */
	uint32_t name_epoch; /* when its name was given away; 0 for not */
	int64_t name_ends;   /* and until when, if it goes by itself */
	struct inode *held_next, **held_at; /* of the same bucket; what points here */

	struct place place; /* its bytes stand in @words, or in more->moved */
	struct scratch *scratch;
	struct handle *writers;  /* open files that stage content */
	struct inode_more *more; /* NULL: nothing of it */
	unsigned char words[];   /* the place as it was made, a key of store/types/table.h */
};

struct inodes {
	struct nodes by_id;
	struct table by_place;
	struct number *numbers; /* those of inodes whose place does not say them */
	unsigned empty_dirs;
	uint64_t *kept; /* ids of inodes that were kept, the oldest is overwritten */
	unsigned kept_next;
	struct cache cache;
	struct editions editions;
};

#define INODE_ROOT 1

/* Makes the root, which stays. */
void inodes_init(struct inodes *t, const struct place *root);
void inodes_fini(struct inodes *t);

/* NULL for a number that was never given out or is forgotten. */
struct inode *inode_by_id(struct inodes *t, uint64_t id);

/* The next of all from *@at on, which begins with 0. Others may come and go meanwhile, and may be told of or not. */
struct inode *inode_next(const struct inodes *t, uint32_t *at);

/* The inode at @place, NULL when the kernel does not know it. */
struct inode *inode_find(struct inodes *t, const struct place *place);

/* The same, made when it is not there; with one reference more for the caller. */
struct inode *inode_get(struct inodes *t, const struct place *place);

/* Another one at the place of @i, which is not found there; with one reference for the caller. */
struct inode *inode_other(struct inodes *t, const struct inode *i);

/* What few have, made zeroed when it is not there. */
struct inode_more *inode_more(struct inode *i);

void inode_ref(struct inode *i);
/* Drop a reference; frees when the kernel has forgotten it too. */
void inode_unref(struct inodes *t, struct inode *i);
/* The kernel forgets @n lookups. More than there are is taken as all. */
void inode_forget(struct inodes *t, struct inode *i, uint64_t n);

/* The name is gone: what is open goes on, a new file of that name is another inode. */
void inode_unlink(struct inodes *t, struct inode *i);
/* It stands at @to now; what stood there is unlinked. */
void inode_move(struct inodes *t, struct inode *i, const struct place *to);

/* The directory of members @from stands at @to: so does what is in it. */
void inode_move_below(struct inodes *t, const struct place *from, const struct place *to);

/* Set or clear empty_dir with its reference. False when there are too many (INODE_EMPTY_DIRS). */
bool inode_set_empty_dir(struct inodes *t, struct inode *i, bool on);
#define INODE_EMPTY_DIRS 4096

/* Remember it, though the kernel may forget it, until INODE_KEPT others were kept. */
void inode_keep(struct inodes *t, struct inode *i);
#define INODE_KEPT 16384

/* The stable number of a place, of an inode, of what stands at a place. */
uint64_t place_ino(const struct place *place);
uint64_t inode_ino(const struct inode *i);
uint64_t inodes_ino(struct inodes *t, const struct place *place);

#endif
