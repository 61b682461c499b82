#define _GNU_SOURCE
#include "resp/config/path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Put @head and @rest together with one slash; false when too long. */
static bool join(char *out, const char *head, const char *rest)
{
	char tmp[PATH_MAX];

	if (snprintf(tmp, sizeof(tmp), "%s/%s", head, rest) >= (int)sizeof(tmp))
		return false;
	strcpy(out, tmp);
	return true;
}

static bool make_absolute(const char *path, char *out)
{
	char cwd[PATH_MAX];

	if (path[0] == '/')
		return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
	return getcwd(cwd, sizeof(cwd)) && join(out, cwd, path);
}

/* Cut the last component off. */
static void go_up(char *at)
{
	char *slash = strrchr(at, '/');

	if (slash)
		*slash = '\0';
}

/* Walk one component at a time: @at is what is behind (resolved, no slash at its end), @todo what is ahead. */
bool path_enters(const char *path, const char *dir)
{
	char at[PATH_MAX] = "", todo[PATH_MAX], link[PATH_MAX], rest[PATH_MAX];
	int links = 0;

	if (!make_absolute(path, todo))
		return false;
	while (todo[strspn(todo, "/")]) {
		char *word = todo + strspn(todo, "/");
		size_t n = strcspn(word, "/");
		strcpy(rest, word + n);
		word[n] = '\0';
		if (strcmp(word, "..") == 0)
			go_up(at);
		else if (strcmp(word, ".") != 0 && !join(at, at, word))
			return false;
		strcpy(todo, rest);
		if (is_below(at, dir))
			return true;
		ssize_t len = at[0] ? readlink(at, link, sizeof(link) - 1) : -1;
		if (len < 0)
			continue;
		link[len] = '\0';
		if (++links > LINKS_MAX || !join(todo, link, rest))
			return false;
		if (link[0] == '/')
			at[0] = '\0';
		else
			go_up(at);
	}
	return is_below(at, dir);
}

bool path_enters_any(const char *path, char *const *dirs)
{
	for (; dirs && *dirs; dirs++)
		if (path_enters(path, *dirs))
			return true;
	return false;
}
