/* resp/config/notify.c - notify-keyspace-events in letters and in bits. */
#include "resp/command.h"
#include "resp/config.h"

static const struct {
	char letter;
	unsigned bit;
} letters[] = {
	{'g', NOTIFY_GENERIC},  {'$', NOTIFY_STRING},   {'l', NOTIFY_LIST},
	{'s', NOTIFY_SET},      {'h', NOTIFY_HASH},     {'z', NOTIFY_ZSET},
	{'x', NOTIFY_EXPIRED},  {'e', NOTIFY_EVICTED},  {'t', NOTIFY_STREAM},
	{'d', NOTIFY_MODULE},   {'n', NOTIFY_NEW},      {'K', NOTIFY_KEYSPACE},
	{'E', NOTIFY_KEYEVENT}, {'m', NOTIFY_KEY_MISS},
};

/* What A stands for: all classes but missed and new keys. */
#define NOTIFY_ALL                                                                                 \
	(NOTIFY_GENERIC | NOTIFY_STRING | NOTIFY_LIST | NOTIFY_SET | NOTIFY_HASH | NOTIFY_ZSET |   \
	 NOTIFY_EXPIRED | NOTIFY_EVICTED | NOTIFY_STREAM | NOTIFY_MODULE)

static unsigned bit_of(char c)
{
	if (c == 'A')
		return NOTIFY_ALL;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == c)
			return letters[i].bit;
	return 0;
}

bool notify_parse(struct bytes s, unsigned *out)
{
	unsigned events = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned bit = bit_of(s.p[i]);
		if (!bit)
			return false;
		events |= bit;
	}
	*out = events;
	return true;
}

void notify_format(unsigned events, char *buf)
{
	if ((events & NOTIFY_ALL) == NOTIFY_ALL) {
		*buf++ = 'A';
		events &= ~(unsigned)NOTIFY_ALL;
	}
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (events & letters[i].bit)
			*buf++ = letters[i].letter;
	*buf = '\0';
}
