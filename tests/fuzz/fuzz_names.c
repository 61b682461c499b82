/* Any bytes as a file name and as a key: name_decode and name_encode undo each other, and a key has one name. */
#include <stdint.h>
#include <stdlib.h>

#include "fs/text/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = bytes_of(data, n), key;
	struct buf name = {0};
	char *room = malloc(n * 3 + 1);

	name_encode(&name, in);
	check(name.n == name_length(in));
	check(name.n > 0 && name.p[0] != '.');
	check(!memchr(name.p, '/', name.n) && !memchr(name.p, 0, name.n));
	check(name_decode(buf_view(&name), room, &key));
	check(bytes_eq(key, in));

	if (name_decode(in, room, &key)) {
		name.n = 0;
		name_encode(&name, key);
		check(bytes_eq(buf_view(&name), in));
	}
	buf_free(&name);
	free(room);
	return 0;
}
