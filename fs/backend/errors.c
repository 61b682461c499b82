#include "fs/backend/errors.h"

/* By first word. What is not listed is a refusal of the arguments. */
static const struct {
	const char *word;
	int err;
} codes[] = {
	{"WRONGTYPE", ERROR_TYPE}, {"OOM", ENOSPC},     {"MISCONF", ENOSPC},
	{"READONLY", EROFS},       {"NOPERM", EACCES},  {"NOAUTH", EACCES},
	{"WRONGPASS", EACCES},     {"LOADING", EBUSY},  {"BUSY", EBUSY},
	{"MASTERDOWN", EBUSY},     {"TRYAGAIN", EBUSY}, {"CLUSTERDOWN", EBUSY},
	{"NOREPLICAS", EBUSY},     {"BUSYKEY", EEXIST}, {"MOVED", EREMOTE},
	{"ASK", EREMOTE},          {"NOTBUSY", EINVAL}, {"EXECABORT", EINVAL},
};

/* Texts behind a plain ERR that have an errno of their own, by how they begin. */
static const struct {
	const char *text;
	int err;
} texts[] = {
	{"ERR no such key", ENOENT},         {"ERR string exceeds maximum allowed size", EFBIG},
	{"ERR unknown command", EOPNOTSUPP}, {"ERR unknown subcommand", EOPNOTSUPP},
	{"ERR out of memory", ENOSPC},       {"ERR insufficient memory", ENOSPC},
};

static bool begins(struct bytes line, const char *with)
{
	size_t n = strlen(with);

	return line.n >= n && memcmp(line.p, with, n) == 0;
}

int error_of_line(struct bytes line)
{
	const char *blank = memchr(line.p, ' ', line.n);
	struct bytes word = bytes_of(line.p, blank ? (size_t)(blank - line.p) : line.n);

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (bytes_eq(word, bytes_str(codes[i].word)))
			return codes[i].err;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (begins(line, texts[i].text))
			return texts[i].err;
	return EINVAL;
}
