/* Where the keys of a call stand, by Redis's key specifications. Part of dispatch.h. */
#include "resp/dispatch.h"
#include "store/base/num.h"

struct found {
	int *positions;
	uint32_t *flags;
	int count, max;
};

static bool found_add(struct found *f, int position, uint32_t flags)
{
	if (f->count == f->max)
		return false;
	f->positions[f->count] = position;
	if (f->flags)
		f->flags[f->count] = flags;
	f->count++;
	return true;
}

/* Keywords are letters only, so that folding the one bit cannot make other bytes equal. */
static bool same_word(struct bytes a, const char *word)
{
	size_t i = 0;
	while (i < a.n && word[i] && (a.p[i] | 0x20) == (word[i] | 0x20))
		i++;
	return i == a.n && !word[i];
}

/* Where the specification begins, 0 when its keyword is not there, -1 when it cannot be said. */
static int spec_begin(const struct key_spec *k, int argc, const struct bytes *argv)
{
	if (k->begin == KEYS_BEGIN_INDEX)
		return k->index;
	if (k->begin != KEYS_BEGIN_KEYWORD)
		return -1;
	bool backwards = k->index < 0;
	int at = backwards ? argc + k->index : k->index;
	for (; at > 0 && at < argc - 1; at += backwards ? -1 : 1)
		if (same_word(argv[at], k->keyword))
			return at + 1;
	return 0;
}

static bool range_keys(const struct key_spec *k, int first, int argc, struct found *out)
{
	int last = k->lastkey >= 0 ? first + k->lastkey : argc + k->lastkey;
	if (k->lastkey == -1 && k->limit > 1)
		last = first + (argc - first) / k->limit + k->lastkey;
	/* PFMERGE without sources. Redis takes such a call for one without any keys, and no user is refused it. */
	if (first == argc && last == argc - 1)
		return true;
	if (last >= argc || last < first)
		return false;
	for (int i = first; i <= last; i += k->step ? k->step : 1)
		if (!found_add(out, i, k->flags))
			return false;
	return true;
}

static bool keynum_keys(const struct key_spec *k, int first, int argc, const struct bytes *argv,
			struct found *out)
{
	int64_t n;
	if (first + k->keynumidx >= argc || !num_parse_int(argv[first + k->keynumidx], &n) || n < 0)
		return false;
	int64_t at = first + k->firstkey, step = k->keystep ? k->keystep : 1;
	if (n && (at >= argc || n > (argc - at + step - 1) / step))
		return false;
	for (int64_t i = 0; i < n; i++)
		if (!found_add(out, (int)(at + i * step), k->flags))
			return false;
	return true;
}

static int find_keys(const struct command *cmd, int argc, const struct bytes *argv, int *positions,
		     uint32_t *flags, int max)
{
	if (cmd->getkeys) {
		int n = cmd->getkeys(argc, argv, positions, max);
		int last = 0;
		while (last + 1 < COMMAND_KEY_SPECS && cmd->keys[last + 1].flags)
			last++;
		for (int i = 0; flags && i < n; i++)
			flags[i] = cmd->keys[i ? last : 0].flags;
		return n;
	}
	struct found out = {positions, flags, 0, max};
	for (int s = 0; s < COMMAND_KEY_SPECS && cmd->keys[s].flags; s++) {
		const struct key_spec *k = &cmd->keys[s];
		if (k->flags & KEY_NOT_KEY)
			continue;
		int first = spec_begin(k, argc, argv);
		if (first < 0)
			return -1;
		if (first == 0)
			continue;
		bool ok = k->find == KEYS_FIND_RANGE    ? range_keys(k, first, argc, &out)
			  : k->find == KEYS_FIND_KEYNUM ? keynum_keys(k, first, argc, argv, &out)
							: false;
		if (!ok)
			return -1;
	}
	return out.count;
}

int command_keys(const struct command *cmd, int argc, const struct bytes *argv, int *positions,
		 uint32_t *flags, int max)
{
	int n = find_keys(cmd, argc, argv, positions, flags, max);
	for (int i = 0; flags && cmd->keyflags && i < n; i++)
		if (flags[i] & KEY_VARIABLE_FLAGS)
			flags[i] = cmd->keyflags(argc, argv);
	return n;
}
