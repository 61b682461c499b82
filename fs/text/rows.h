/* fs/text/rows.h - elements as lines, rows as columns between TABs.
 *
 * An element is shown literally. What a line cannot hold is shown as the shell writes it, $'a\nb': an element with a newline, a NUL or
 * another control byte (TAB only where rows have columns), or one that begins with $'. Read back, a column that begins
 * with $' and ends with ' is such a form, anything else stands for itself. A last line without newline counts as a line.
 */
#ifndef FS_TEXT_ROWS_H
#define FS_TEXT_ROWS_H

#include <stdbool.h>

#include "fs/text/buf.h"
#include "store/base/bytes.h"

#define ROWS_COLUMNS 2

/* How many bytes a row of @columns takes, its newline included. */
size_t rows_size(const struct bytes *columns, int ncolumns);

/* Append a row. */
void rows_put(struct buf *out, const struct bytes *columns, int ncolumns);

/* One column of a row that has several, and what stands behind it: a TAB, or a newline. */
size_t rows_column_size(struct bytes column);
void rows_put_column(struct buf *out, struct bytes column, char behind);

enum rows_result {
	ROWS_END, /* no line is left; with @partial false also when only an unfinished line is */
	ROWS_ROW,
	ROWS_BAD, /* too few columns, or a $'...' that is not one */
};

struct rows {
	struct bytes text;
	size_t at; /* where the next line begins */
	int ncolumns;
	bool partial;       /* take a last line that has no newline, too */
	struct buf scratch; /* unquoted columns of the current row */
	struct buf words;   /* struct bytes of rows_next_words */
};

/* Read rows of @ncolumns (1 or 2) from @text. With two, a line is cut at its first TAB. rows_fini when done. */
void rows_init(struct rows *r, struct bytes text, int ncolumns, bool partial);
void rows_fini(struct rows *r);

/* The next line cut at each of its TABs: @words, @n of them, lie in @r until the next call. Results as of rows_next. */
enum rows_result rows_next_words(struct rows *r, const struct bytes **words, size_t *n);

/* The next row into @columns. They borrow from the text or, where they were quoted, from @r until the next call. After ROWS_BAD r->at
 * is where the bad line begins. Memory that is not to be had is ROWS_BAD with scratch.failed. */
enum rows_result rows_next(struct rows *r, struct bytes *columns);

#endif
