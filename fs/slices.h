/* fs/slices.h - work of a mount that takes longer than others should wait: a slice of it now, the next one in another turn of the loop.
 *
 * Each that waits gets a slice in a turn, in the order in which they came, as long as SLICES_TURN_USEC are not used up; who was left out is
 * the first in the next turn. A slice is about half a millisecond: how long it is, its owner sees to, and counts it in spent_usec.
 * Nothing is owned: a struct slice is a part of what is to be done.
 */
#ifndef FS_SLICES_H
#define FS_SLICES_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct slice {
	void (*go_on)(struct slice *s);
	/* There are no more turns: whoever waits for the end of it is told, or by its owner later. May free it, and others that wait. */
	void (*give_up)(struct slice *s);
	bool waits;
	unsigned since; /* the turn in which it began to wait */
	struct slice *prev, *next;
};

struct slices {
	struct loop *loop;
	struct slice *first;
	unsigned turn;
	bool posted;        /* the next one is asked for */
	int64_t spent_usec; /* of all slices so far, also those that did not wait */
};

/* How long slices may take in one turn. */
#define SLICES_TURN_USEC 1000

/* @s goes on in the loop's next turn, when clients were served; nothing when it waits already. */
void slices_add(struct slices *q, struct slice *s);
/* It does not. */
void slices_remove(struct slices *q, struct slice *s);

/* All that wait are given up. */
void slices_end(struct slices *q);

#endif
