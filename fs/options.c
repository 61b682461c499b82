#include "fs/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/fs.h"
#include "store/base/mem.h"

static bool number(const char *text, int base, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoul(text, &end, base);
	return *end == '\0' && *out <= max;
}

/* What mount(8) may hand down: the kernel's words, and those that say what is so anyway. */
static bool pass_on(struct mount_options *o, const char *name)
{
	static const char *const kernel[] = {"nosuid", "suid",    "nodev",      "dev",  "noexec",
					     "exec",   "noatime", "nodiratime", "sync", "async"};
	static const char *const idle[] = {"",         "defaults",    "relatime", "norelatime",
					   "lazytime", "strictatime", "atime",    "diratime"};
	size_t n = strlen(o->flags);

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (!strcmp(name, idle[i]))
			return true;
	for (size_t i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++)
		if (!strcmp(name, kernel[i]))
			return snprintf(o->flags + n, sizeof(o->flags) - n, ",%s", name) <
			       (int)(sizeof(o->flags) - n);
	return false;
}

static void page_opens(struct mount_options *o, unsigned n)
{
	o->pagecache = true;
	o->page_opens = n;
}

/* One option; @value is NULL where there is no '='. */
static bool apply(struct mount_options *o, const char *name, const char *value)
{
	unsigned long n = 0;

	if (!value) {
		if (!strcmp(name, "ro") || !strcmp(name, "rw"))
			o->ro = name[1] == 'o';
		else if (!strcmp(name, "raw"))
			o->raw = true;
		else if (!strcmp(name, "allow_other"))
			o->allow_other = true;
		else if (!strcmp(name, "nocache"))
			o->nocache = true;
		else if (!strcmp(name, "pagecache"))
			page_opens(o, EDITION_OPENS);
		else
			return pass_on(o, name);
		return true;
	}
	if (!strcmp(name, "uid") && number(value, 10, UINT32_MAX - 1, &n))
		o->uid = (uid_t)n;
	else if (!strcmp(name, "gid") && number(value, 10, UINT32_MAX - 1, &n))
		o->gid = (gid_t)n;
	else if (!strcmp(name, "umask") && number(value, 8, 0777, &n))
		o->umask = (mode_t)n;
	else if (!strcmp(name, "db") && number(value, 10, INT32_MAX, &n))
		o->db = (unsigned)n;
	else if (!strcmp(name, "pagecache") && number(value, 10, EDITION_OPENS_MAX, &n))
		page_opens(o, (unsigned)n);
	else if ((!strcmp(name, "user") || !strcmp(name, "mount_user")) && *value &&
		 strlen(value) < sizeof(o->user))
		strcpy(o->user, value);
	else
		return false;
	return true;
}

bool options_parse(const char *list, struct mount_options *out, char *why, size_t why_n)
{
	char *copy = mem_dup(list, strlen(list) + 1), *rest = copy, *word;
	bool ok = true;

	*out = (struct mount_options){.uid = geteuid(), .gid = getegid()};
	out->umask = umask(0);
	umask(out->umask);
	while (ok && (word = strsep(&rest, ", "))) {
		char *value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		ok = apply(out, word, value);
		if (!ok)
			snprintf(why, why_n, "option '%s%s%s' is not known or has a bad value",
				 word, value ? "=" : "", value ? value : "");
	}
	mem_free(copy);
	if (ok && out->nocache && out->pagecache) {
		snprintf(why, why_n, "nocache and pagecache exclude each other");
		ok = false;
	}
	return ok;
}
