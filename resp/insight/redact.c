#include "resp/insight/redact.h"

/* HELLO 3 AUTH user password ...: the two words behind AUTH. */
static bool hello_hides(const struct bytes *argv, int i)
{
	return bytes_is(argv[i - 1], "auth") || (i > 3 && bytes_is(argv[i - 2], "auth"));
}

static bool config_hides(const struct bytes *argv, int i)
{
	static const char *const secrets[] = {"requirepass", "masterauth", "masteruser",
					      "tls-key-file-pass", "tls-client-key-file-pass"};
	if (i < 3 || i % 2 == 0 || !bytes_is(argv[1], "set"))
		return false;
	for (size_t n = 0; n < sizeof(secrets) / sizeof(*secrets); n++)
		if (bytes_is(argv[i - 1], secrets[n]))
			return true;
	return false;
}

/* MIGRATE ... AUTH password, AUTH2 user password, and nothing behind KEYS. */
static bool migrate_hides(const struct bytes *argv, int i)
{
	for (int k = 6; k < i; k++)
		if (bytes_is(argv[k], "keys"))
			return false;
	return bytes_is(argv[i - 1], "auth") || bytes_is(argv[i - 1], "auth2") ||
	       bytes_is(argv[i - 2], "auth2");
}

struct bytes redact_argument(const struct bytes *argv, int i)
{
	bool hide = false;
	if (i > 0 && bytes_is(argv[0], "auth"))
		hide = true;
	else if (i > 2 && bytes_is(argv[0], "hello"))
		hide = hello_hides(argv, i);
	else if (i > 2 && bytes_is(argv[0], "config"))
		hide = config_hides(argv, i);
	else if (i > 1 && bytes_is(argv[0], "acl"))
		hide = bytes_is(argv[1], "setuser") || bytes_is(argv[1], "getuser") ||
		       bytes_is(argv[1], "deluser");
	else if (i > 6 && bytes_is(argv[0], "migrate"))
		hide = migrate_hides(argv, i);
	return hide ? BYTES("(redacted)") : argv[i];
}
