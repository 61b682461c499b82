/* fs/backend/answer.h - replies read piece by piece, in place.
 *
 * RESP2 and RESP3 out of the segments in which a reply lies in memory. An array is told by its header and then its elements
 * follow, so a reply of any size and depth needs no memory of its own; a big value is one segment and is never copied.
 */
#ifndef FS_BACKEND_ANSWER_H
#define FS_BACKEND_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fs/text/buf.h"
#include "store/base/bytes.h"

enum answer_kind {
	ANSWER_STATUS,
	ANSWER_ERROR,
	ANSWER_INT,
	ANSWER_BULK,
	ANSWER_NULL,
	ANSWER_ARRAY,  /* n elements follow; the RESP2 null array is ANSWER_NULL */
	ANSWER_MAP,    /* 2n elements follow */
	ANSWER_SET,    /* n */
	ANSWER_PUSH,   /* n */
	ANSWER_DOUBLE, /* as text */
	ANSWER_BOOL,
	ANSWER_BIGNUM,
	ANSWER_VERBATIM, /* without its format */
};

struct answer {
	enum answer_kind kind;
	struct bytes text; /* of what has text; borrowed */
	int64_t n;         /* an integer, a boolean, or how many follow */
	bool joined;       /* text lies in the reader's own buffer: gone with the next answer */
};

/* Who keeps the memory that answers lie in. */
struct answers_owner {
	void (*release)(struct answers_owner *o);
};

struct answers {
	const struct iovec *iov;
	int niov, i; /* segment and place in it of the next byte */
	size_t at;
	struct buf join; /* for what spans segments */
	struct answers_owner *owner;
	bool kept;
};

void answers_init(struct answers *a, const struct iovec *iov, int niov,
		  struct answers_owner *owner);
void answers_fini(struct answers *a);

/* The next piece. False at the end, and when the bytes are not RESP (which is this process's or the remote's bug). */
bool answers_next(struct answers *a, struct answer *out);

/* Pass over the elements of @head, however nested. */
bool answers_skip(struct answers *a, const struct answer *head);

/* The number of elements that follow @a. */
int64_t answer_elements(const struct answer *a);

/* Have what was read stay valid after the callback, until owner->release: for texts that are not joined. */
struct answers_owner *answers_keep(struct answers *a);

#endif
