/* The first line of a script: "#!lua flags=no-writes,allow-stale". */
#include <stdio.h>
#include <string.h>

#include "resp/proto/parser.h"
#include "resp/scripts/internal.h"
#include "store/base/mem.h"

const struct script_flag_name script_flag_names[] = {
	{"no-writes", SCRIPT_NO_WRITES},
	{"allow-oom", SCRIPT_ALLOW_OOM},
	{"allow-stale", SCRIPT_ALLOW_STALE},
	{"no-cluster", SCRIPT_NO_CLUSTER},
	{"allow-cross-slot-keys", SCRIPT_CROSS_SLOT},
	{NULL, 0},
};

uint32_t script_flag_find(struct bytes name)
{
	for (const struct script_flag_name *f = script_flag_names; f->name; f++)
		if (bytes_eq(name, bytes_str(f->name)))
			return f->flag;
	return 0;
}

static int shown(struct bytes b)
{
	return b.n < 200 ? (int)b.n : 200;
}

/* "a,b" behind "flags=". */
static bool read_flags(struct bytes list, uint32_t *flags, char *why, size_t room)
{
	while (list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		struct bytes word = bytes_of(list.p, comma ? (size_t)(comma - list.p) : list.n);
		uint32_t flag = script_flag_find(word);
		if (!flag) {
			snprintf(why, room, "ERR Unexpected flag in script shebang: %.*s",
				 shown(word), word.p);
			return false;
		}
		*flags |= flag;
		size_t used = word.n + (comma != NULL);
		list = bytes_of(list.p + used, list.n - used);
	}
	return true;
}

static bool read_words(int n, const struct bytes *words, uint32_t *flags, char *why, size_t room)
{
	if (n <= 0) {
		snprintf(why, room, "ERR Invalid engine in script shebang");
		return false;
	}
	if (!bytes_eq(words[0], BYTES("#!lua"))) {
		snprintf(why, room, "ERR Unexpected engine in script shebang: %.*s",
			 shown(words[0]), words[0].p);
		return false;
	}
	for (int i = 1; i < n; i++) {
		struct bytes w = words[i];
		if (w.n < 6 || memcmp(w.p, "flags=", 6) != 0) {
			snprintf(why, room, "ERR Unknown lua shebang option: %.*s", shown(w), w.p);
			return false;
		}
		if (!read_flags(bytes_of(w.p + 6, w.n - 6), flags, why, room))
			return false;
	}
	return true;
}

bool shebang_read(struct bytes body, uint32_t *flags, size_t *skip, char *why, size_t room)
{
	*flags = SCRIPT_COMPAT;
	*skip = 0;
	if (body.n < 2 || memcmp(body.p, "#!", 2) != 0)
		return true;
	const char *end = memchr(body.p, '\n', body.n);
	if (!end) {
		snprintf(why, room, "ERR Invalid script shebang");
		return false;
	}
	*flags = 0;
	*skip = (size_t)(end - body.p);
	struct bytes *words;
	int n = line_split(bytes_of(body.p, *skip), &words);
	bool ok = read_words(n, words, flags, why, room);
	if (n > 0)
		mem_free(words);
	return ok;
}
