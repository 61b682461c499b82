#include "resp/commands/insight/text.h"

#include <stdlib.h>

void text_reply(struct call *c, void (*write)(struct call *c, FILE *out))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	if (!out) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	write(c, out);
	fclose(out);
	reply_verbatim(c->reply, bytes_of(text, n), "txt");
	free(text);
}
