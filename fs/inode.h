/* fs/inode.h - what the kernel knows by number: places in the tree, counted as the kernel counts them.
 *
 * A place is where something stands: its kind of node, the database, the key, the member. An inode is a place that the kernel has
 * looked up and not yet forgotten, or that an open file or a request holds. Node ids are handed out once and never again, so a
 * number from the kernel is checked, never followed. st_ino is a hash of the place: stable for the life of a key.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "fs/cache.h"
#include "store/base/bytes.h"

struct inode;
struct kind;
struct scratch;
struct follow;
struct handle;

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
	enum node node;
	const struct kind *kind; /* from NODE_DIR down */
	unsigned db;
	bool raw;      /* below raw/ */
	bool numbered; /* below db/ */
	bool has_member;
	struct bytes key, member;
};

struct inode {
	uint64_t id; /* the kernel's node id */
	uint64_t nlookup;
	unsigned refs; /* open files and requests */
	bool listed;   /* found by its place; an unlinked one is not */
	struct place place;
	char *words;  /* place's bytes */
	uint64_t ino; /* st_ino */

	/* The size of a view that had to be computed, while the key's stamp is @sized_serial. */
	bool sized;
	uint64_t sized_serial, size;
	struct follow *follow; /* of a stream: kinds/stream.h */

	/* An element written with a newline that is not stored: shown again while the element still hashes to this. */
	bool newline;
	uint64_t newline_hash;
	bool kept; /* for that: inode_keep */

	unsigned opens;    /* open files and directories */
	unsigned creating; /* open files that made this name, before it is a key */
	bool empty_dir; /* mkdir made it, or its last member was removed: there until rmdir. Holds a reference. */
	struct scratch *scratch;
	struct handle *writers; /* open files that stage content */
	uint64_t heard;         /* a channel: bytes that its readers were given */

	/* What the kernel may answer from its own memory: fs/cache.h */
	uint64_t held_id;                   /* its key in change notes, while it is in the table */
	struct inode *held_next, **held_at; /* of the same bucket; what points here */
	uint64_t name_epoch;                /* when its name was given away; 0 for not */
	int64_t name_ends;                  /* and until when, if it goes by itself */
	uint16_t attr_at; /* its place among those whose attributes were given away last */
	bool attr_held;   /* its attributes were given away */
	bool attr_late;   /* and taken back before the kernel had made its inode */
	bool own;         /* the kernel is itself taking the name away */
	UT_hash_handle by_id, by_place;
};

struct inodes {
	struct inode *by_id, *by_place;
	uint64_t next_id;
	unsigned empty_dirs;
	uint64_t *kept; /* ids of inodes that were kept, the oldest is overwritten */
	unsigned kept_next;
	struct cache cache;
};

#define INODE_ROOT 1

/* Makes the root, which stays. */
void inodes_init(struct inodes *t, const struct place *root);
void inodes_fini(struct inodes *t);

/* NULL for a number that was never given out or is forgotten. */
struct inode *inode_by_id(struct inodes *t, uint64_t id);

/* The inode at @place, NULL when the kernel does not know it. */
struct inode *inode_find(struct inodes *t, const struct place *place);

/* The same, made when it is not there; with one reference more for the caller. */
struct inode *inode_get(struct inodes *t, const struct place *place);

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

/* The stable number of a place. */
uint64_t place_ino(const struct place *place);

#endif
