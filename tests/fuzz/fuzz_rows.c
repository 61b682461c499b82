/* Any bytes as elements and as text: what rows_put writes, rows_next reads back; what it read from any text, written and read
 * again, is the same; and the newline rule agrees with itself however the content is cut. */
#include <stdint.h>
#include <stdlib.h>

#include "fs/text/line.h"
#include "fs/text/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void elements(struct bytes in, int ncolumns)
{
	struct bytes cols[2] = {in, in}, back[2];
	struct buf out = {0};
	struct rows r;

	if (ncolumns == 2)
		cols[0].n = in.n / 2;
	rows_put(&out, cols, ncolumns);
	check(out.n == rows_size(cols, ncolumns));
	check(out.p[out.n - 1] == '\n' && memchr(out.p, '\n', out.n) == out.p + out.n - 1);
	rows_init(&r, buf_view(&out), ncolumns, false);
	check(rows_next(&r, back) == ROWS_ROW);
	for (int i = 0; i < ncolumns; i++)
		check(bytes_eq(cols[i], back[i]));
	check(rows_next(&r, back) == ROWS_END);
	rows_fini(&r);
	buf_free(&out);
}

/* Lines of any number of columns, as streams have them. */
static void words(struct bytes in, bool partial)
{
	const struct bytes *cols, *again;
	struct buf out = {0};
	struct rows r, s;
	enum rows_result res;
	size_t n, m;

	rows_init(&r, in, 1, partial);
	while ((res = rows_next_words(&r, &cols, &n)) == ROWS_ROW) {
		size_t size = 0;
		check(n > 0);
		out.n = 0;
		for (size_t i = 0; i < n; i++) {
			rows_put_column(&out, cols[i], i == n - 1 ? '\n' : '\t');
			size += rows_column_size(cols[i]);
		}
		check(size == out.n);
		rows_init(&s, buf_view(&out), 1, false);
		check(rows_next_words(&s, &again, &m) == ROWS_ROW && m == n);
		for (size_t i = 0; i < n; i++)
			check(bytes_eq(cols[i], again[i]));
		rows_fini(&s);
	}
	check(res == ROWS_BAD || !partial || r.at == in.n);
	rows_fini(&r);
	buf_free(&out);
}

static void text(struct bytes in, int ncolumns, bool partial)
{
	struct bytes cols[2], again[2];
	struct buf out = {0};
	struct rows r, s;
	enum rows_result res;
	size_t rows = 0;

	rows_init(&r, in, ncolumns, partial);
	while ((res = rows_next(&r, cols)) == ROWS_ROW) {
		out.n = 0;
		rows_put(&out, cols, ncolumns);
		rows_init(&s, buf_view(&out), ncolumns, false);
		check(rows_next(&s, again) == ROWS_ROW);
		for (int i = 0; i < ncolumns; i++)
			check(bytes_eq(cols[i], again[i]));
		rows_fini(&s);
		rows++;
	}
	check(rows <= in.n);
	check(res == ROWS_BAD || !partial || r.at == in.n);
	rows_fini(&r);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = bytes_of(data, n);

	elements(in, 1);
	elements(in, 2);
	text(in, 1, true);
	text(in, 1, false);
	text(in, 2, true);
	words(in, true);
	words(in, false);

	bool whole = line_is_text(&in, 1);
	for (size_t cut = 0; cut <= n; cut += 1 + n / 7) {
		struct bytes v[3] = {bytes_of(data, cut), bytes_of(data, 0),
				     bytes_of(data + cut, n - cut)};
		check(line_is_text(v, 3) == whole);
	}
	return 0;
}
