/* store/persist/check_aof.c - see check.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/mem.h"
#include "store/persist/aof_in.h"
#include "store/persist/aof_manifest.h"
#include "store/persist/check.h"

#define MANIFEST_MAX ((off_t)1 << 24)

struct options {
	bool fix;
	int64_t until; /* seconds since the epoch; 0: all of it */
	const char *file;
};

/* What looking at a file came to. */
enum verdict { FILE_VALID, FILE_EMPTY, FILE_CUT, FILE_NOTHING_TO_CUT, FILE_INVALID };

struct file {
	const struct options *opt;
	const char *name;
	bool last; /* what is cut off is lost, and only at the very end nothing follows it */
	int fd;
	uint64_t size, begin; /* commands begin there, behind a preamble */
	struct aof_in in;
	struct place {
		uint64_t offset, lines;
	} good; /* behind what is whole */
};

/* --- one file --- */

static void complain(uint64_t offset, const char *what)
{
	printf("0x%16llx: %s\n", (unsigned long long)offset, what);
}

/* What is wrong with a command by its place in or out of a transaction, or NULL; *@in_unit is as it is after it. */
static const char *misplaced(const struct aof_in *in, bool *in_unit)
{
	bool multi = aof_in_is_word(in, "multi"), exec = aof_in_is_word(in, "exec");

	if (multi && *in_unit)
		return "Unexpected MULTI";
	if (exec && !*in_unit)
		return "Unexpected EXEC";
	if (multi || exec)
		*in_unit = multi;
	return NULL;
}

/* Read to the end of what is whole, a transaction only as a whole. AOF_END, or why not. */
static enum aof_item read_commands(struct file *f)
{
	struct aof_in *in = &f->in;
	bool in_unit = false;

	for (;;) {
		bool was_in_unit = in_unit;
		uint64_t lines = in->lines;
		enum aof_item got = aof_in_next(in);
		if (got == AOF_COMMAND)
			lines = in->lines - 1 - 2 * (uint64_t)in->argc;
		/* Annotations before it are whole. */
		if (!was_in_unit)
			f->good = (struct place){in->item_offset, lines};
		if (got == AOF_END && in_unit) {
			complain(f->good.offset, "Reached EOF before reading EXEC for MULTI");
			return AOF_TORN;
		}
		if (got == AOF_END)
			f->good = (struct place){in->offset, in->lines};
		if (got == AOF_CHECKED)
			continue;
		if (got != AOF_COMMAND)
			return got;
		in->error = misplaced(in, &in_unit);
		if (in->error) {
			in->error_offset = in->item_offset;
			return AOF_BAD;
		}
	}
}

static bool ask(const struct file *f)
{
	char answer[8];

	printf("This will shrink the AOF %s from %llu bytes, with %llu bytes, to %llu bytes\n",
	       f->name, (unsigned long long)f->size, (unsigned long long)(f->size - f->good.offset),
	       (unsigned long long)f->good.offset);
	printf("Continue? [y/N]: ");
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) && strncasecmp(answer, "y", 1) == 0)
		return true;
	printf("Aborting...\n");
	return false;
}

static bool cut(const struct file *f)
{
	if (ftruncate(f->fd, (off_t)f->good.offset) == 0 && fsync(f->fd) == 0)
		return true;
	printf("Failed to truncate AOF %s: %s\n", f->name, strerror(errno));
	return false;
}

static enum verdict fix(const struct file *f)
{
	if (!f->opt->fix) {
		printf("AOF %s is not valid. Use the --fix option to try fixing it.\n", f->name);
		return FILE_INVALID;
	}
	if (!f->last) {
		printf("Failed to truncate AOF %s because it is not the last file\n", f->name);
		return FILE_INVALID;
	}
	if (!ask(f) || !cut(f))
		return FILE_INVALID;
	printf("Successfully truncated AOF %s\n", f->name);
	return FILE_CUT;
}

static enum verdict cut_later(const struct file *f)
{
	long long until = f->opt->until;

	if (f->good.offset == 0) {
		printf("AOF %s has nothing before timestamp %lld, aborting...\n", f->name, until);
		return FILE_INVALID;
	}
	if (!f->last) {
		printf("Failed to truncate AOF %s to timestamp %lld to offset %llu because it is "
		       "not the last file.\nIf you insist, please delete all files after this file "
		       "according to the manifest file and delete the corresponding records in "
		       "manifest file manually. Then re-run redis-check-aof.\n",
		       f->name, until, (unsigned long long)f->good.offset);
		return FILE_INVALID;
	}
	if (!cut(f)) {
		printf("Failed to truncate AOF %s to timestamp %lld\n", f->name, until);
		return FILE_INVALID;
	}
	printf("Successfully truncated AOF %s to timestamp %lld\n", f->name, until);
	return FILE_CUT;
}

/* A checksum that fails or is not there says that something since the one before is damaged, not what. */
static void go_back(struct file *f)
{
	if (!f->in.checked || f->in.foreign || !f->in.covered)
		return;
	uint64_t region = f->in.offset - f->in.covered;
	if (region < f->good.offset)
		f->good.offset = region;
}

static enum verdict judge(struct file *f, enum aof_item got)
{
	if (got == AOF_ERROR) {
		printf("Cannot read file %s: %s\n", f->name, strerror(f->in.error_code));
		return FILE_INVALID;
	}
	if (got == AOF_TORN && f->in.offset < f->size)
		complain(f->in.item_offset, "the file ends within what begins here");
	if (got == AOF_BAD) {
		complain(f->in.error_offset, f->in.error);
		printf("AOF %s format error\n", f->name);
	}
	if (f->opt->until && got == AOF_LATER)
		return cut_later(f);
	if (f->opt->until && got == AOF_END) {
		printf("Truncate nothing in AOF %s to timestamp %lld\n", f->name,
		       (long long)f->opt->until);
		return FILE_VALID;
	}
	if (got != AOF_END)
		go_back(f);
	printf("AOF analyzed: filename=%s, size=%llu, ok_up_to=%llu, ok_up_to_line=%llu, "
	       "diff=%llu\n",
	       f->name, (unsigned long long)f->size, (unsigned long long)f->good.offset,
	       (unsigned long long)f->good.lines, (unsigned long long)(f->size - f->good.offset));
	return got == AOF_END ? FILE_VALID : fix(f);
}

static bool has_preamble(int fd)
{
	char magic[5];

	return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, "REDIS", sizeof(magic)) == 0;
}

static enum verdict check_open(struct file *f)
{
	if (f->size == 0)
		return FILE_EMPTY;
	if (has_preamble(f->fd)) {
		if (!check_rdb_fd(f->fd, f->size, f->name, &f->begin)) {
			printf("RDB preamble of AOF file is not sane, aborting.\n");
			return FILE_INVALID;
		}
		printf("RDB preamble is OK, proceeding with AOF tail...\n");
	}
	aof_in_init(&f->in, f->fd, f->size, f->begin);
	f->in.until = f->opt->until;
	enum verdict v = judge(f, read_commands(f));
	aof_in_fini(&f->in);
	return v;
}

static enum verdict check_file(const struct options *opt, const char *path, const char *name,
			       bool last)
{
	struct file f = {.opt = opt, .name = name, .last = last};
	struct stat st;

	f.fd = open(path, (opt->fix || opt->until ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (f.fd < 0 || fstat(f.fd, &st) < 0) {
		printf("Cannot open file %s: %s\n", path, strerror(errno));
		if (f.fd >= 0)
			close(f.fd);
		return FILE_INVALID;
	}
	f.size = (uint64_t)st.st_size;
	enum verdict v = check_open(&f);
	close(f.fd);
	return v;
}

/* --- all of them --- */

static bool read_manifest(const char *path, struct aof_manifest *m)
{
	struct aof_manifest_error err;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= MANIFEST_MAX) {
		text = mem_alloc((size_t)st.st_size + 1);
		n = pread(fd, text, (size_t)st.st_size, 0);
	}
	bool ok = n >= 0 && aof_manifest_parse(m, bytes_of(text, (size_t)n), &err);
	if (n < 0)
		printf("Cannot open file %s: %s\n", path, strerror(errno));
	else if (!ok)
		printf("Reading the manifest file, at line %d\n>>> '%s'\n%s\n", err.line, err.where,
		       err.text);
	if (fd >= 0)
		close(fd);
	mem_free(text);
	return ok;
}

static enum verdict check_member(const struct options *opt, const struct aof_file *file, bool last)
{
	const char *slash = strrchr(opt->file, '/');
	int dir = slash ? (int)(slash - opt->file) + 1 : 0;
	size_t n = (size_t)dir + strlen(file->name) + 1;
	char *path = mem_alloc(n);

	snprintf(path, n, "%.*s%s", dir, opt->file, file->name);
	enum verdict v = check_file(opt, path, file->name, last);
	mem_free(path);
	return v;
}

static void say_verdict(const char *kind, const char *name, enum verdict v)
{
	if (v == FILE_VALID)
		printf("%s AOF %s is valid\n", kind, name);
	else if (v == FILE_EMPTY)
		printf("%s AOF %s is empty\n", kind, name);
}

static bool check_all(const struct options *opt, const struct aof_manifest *m)
{
	const struct aof_file *base = aof_manifest_base(m), *last = aof_manifest_last(m);
	enum verdict v;

	if (base) {
		const char *dot = strrchr(base->name, '.');
		bool rdb = dot && strcmp(dot, ".rdb") == 0;
		printf("Start to check BASE AOF (%s format).\n", rdb ? "RDB" : "AOF");
		v = check_member(opt, base, !last);
		if (v == FILE_INVALID)
			return false;
		say_verdict("BASE", base->name, v);
	}
	if (last)
		printf("Start to check INCR files.\n");
	for (size_t i = 0; i < m->n; i++) {
		if (m->files[i].type != AOF_INCREMENT)
			continue;
		v = check_member(opt, &m->files[i], &m->files[i] == last);
		if (v == FILE_INVALID)
			return false;
		say_verdict("INCR", m->files[i].name, v);
	}
	printf("All AOF files and manifest are valid\n");
	return true;
}

static bool check_multi(const struct options *opt)
{
	struct aof_manifest m = {0};

	printf("Start checking Multi Part AOF\n");
	bool ok = read_manifest(opt->file, &m) && check_all(opt, &m);
	aof_manifest_fini(&m);
	return ok;
}

static bool check_old(const struct options *opt)
{
	printf("Start checking Old-Style AOF\n");
	enum verdict v = check_file(opt, opt->file, opt->file, true);
	if (v == FILE_VALID || v == FILE_EMPTY)
		printf("AOF %s is %s\n", opt->file, v == FILE_EMPTY ? "empty" : "valid");
	return v != FILE_INVALID;
}

/* A manifest says so by its name, or by how it begins. */
static bool is_manifest(const char *path)
{
	const char *dot = strrchr(path, '.');
	char text[5];
	int fd;

	if (dot && strcmp(dot, ".manifest") == 0)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && pread(fd, text, 5, 0) == 5 && memcmp(text, "file ", 5) == 0;
	if (fd >= 0)
		close(fd);
	return is;
}

static bool read_options(int argc, char **argv, struct options *opt)
{
	char *end;

	if (argc == 2) {
		opt->file = argv[1];
	} else if (argc == 3 && strcmp(argv[1], "--fix") == 0) {
		opt->fix = true;
		opt->file = argv[2];
	} else if (argc == 3 && strcmp(argv[2], "--fix") == 0) {
		opt->fix = true;
		opt->file = argv[1];
	} else if (argc == 4 && strcmp(argv[1], "--truncate-to-timestamp") == 0) {
		opt->until = strtoll(argv[2], &end, 10);
		opt->file = argv[3];
		return *end == '\0' && opt->until > 0;
	}
	return opt->file != NULL;
}

int check_aof_main(int argc, char **argv)
{
	struct options opt = {0};

	if (!read_options(argc, argv, &opt)) {
		printf("Usage: %s [--fix|--truncate-to-timestamp $timestamp] "
		       "<file.manifest|file.aof>\n",
		       argv[0]);
		return 1;
	}
	return (is_manifest(opt.file) ? check_multi(&opt) : check_old(&opt)) ? 0 : 1;
}
