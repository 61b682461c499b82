/* fs/listing/dir_names.h - what stands in a directory, found step by step: the part of fs/listing/dir.c that knows the tree and the commands. */
#ifndef FS_LISTING_DIR_NAMES_H
#define FS_LISTING_DIR_NAMES_H

#include "fs/listing/dirents.h"
#include "fs/task.h"

struct names {
	struct mount *m;
	struct inode *inode; /* the directory, borrowed */
	struct dirents found;
	char cursor[48];   /* of the scan, or the last id of a stream */
	uint64_t told;     /* the cursor that was asked for last, as a number */
	int64_t countdown; /* names still to be made of numbers, the highest first, so that rm -r finds each where it was listed */
	bool orderless;    /* what is found comes in no order */
	bool begun, done;  /* done also when nothing is to be scanned */
	int err;           /* the last step failed */
	uint64_t *
		early; /* names that are no keys, and were told of before the scan: open addressing, 0 is free */
	size_t early_cap;
	void (*answered)(struct names *n);
};

/* @answered is told at the end of every step. */
void names_init(struct names *n, struct mount *m, struct inode *i,
		void (*answered)(struct names *n));
void names_fini(struct names *n);

/* From the start again. */
void names_rewind(struct names *n);

/* Find some more, unless n->done; n->answered may be told before this returns. */
void names_step(struct names *n);

#endif
