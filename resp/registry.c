/* The commands by name, and the figures kept for each. Part of the dispatcher's contract in dispatch.h. */
#define HASH_NONFATAL_OOM 0
#include <stdio.h>
#include <uthash.h>

#include "resp/commands/commands.h"
#include "resp/dispatch.h"
#include "resp/registry.h"
#include "store/base/mem.h"

static int first_key_index(const struct command *cmd)
{
	const struct key_spec *k = &cmd->keys[0];
	if (!k->flags || k->begin != KEYS_BEGIN_INDEX || k->find != KEYS_FIND_RANGE)
		return 0;
	return k->index;
}

static char *fullname(const struct registered *parent, const struct command *cmd)
{
	size_t n = strlen(cmd->name) + 1 + (parent ? strlen(parent->fullname) + 1 : 0);
	char *s = mem_alloc(n);
	if (parent)
		snprintf(s, n, "%s|%s", parent->fullname, cmd->name);
	else
		snprintf(s, n, "%s", cmd->name);
	return s;
}

static struct registered *add(struct registry *r, struct registered **table,
			      struct registered *parent, const struct command *cmd)
{
	struct registered *reg = mem_calloc(sizeof(*reg));
	reg->id = r->count++;
	reg->cmd = cmd;
	reg->parent = parent;
	reg->parent_cmd = parent ? parent->cmd : NULL;
	reg->plain = cmd->run && !cmd->subcommands && !(cmd->flags & CMD_PROTECTED);
	reg->first_key = first_key_index(cmd);
	reg->fullname = fullname(parent, cmd);
	HASH_ADD_KEYPTR(hh, *table, cmd->name, strlen(cmd->name), reg);
	for (const struct command *sub = cmd->subcommands; sub && sub->name; sub++)
		add(r, &reg->subs, reg, sub);
	return reg;
}

struct registry *registry_new(void)
{
	struct registry *r = mem_calloc(sizeof(*r));
	for (size_t f = 0; command_families[f]; f++)
		for (const struct command *cmd = command_families[f]; cmd->name; cmd++)
			add(r, &r->commands, NULL, cmd);
	ticks_rate_init(&r->rate);
	return r;
}

static void free_table(struct registered **table)
{
	struct registered *reg, *tmp;
	HASH_ITER (hh, *table, reg, tmp) {
		free_table(&reg->subs);
		HASH_DEL(*table, reg);
		mem_free(reg->latency);
		mem_free(reg->fullname);
		mem_free(reg);
	}
}

static void free_errors(struct registry *r)
{
	struct error_stat *e, *tmp;
	HASH_ITER (hh, r->errors, e, tmp) {
		HASH_DEL(r->errors, e);
		mem_free(e);
	}
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	registry_free_aliases(r);
	free_table(&r->commands);
	free_errors(r);
	mem_free(r);
}

struct registered *registry_commands(struct registry *r)
{
	return r->commands;
}

/* Longer than any command's name. */
#define NAME_MAX_LEN 64

static __attribute__((noinline)) struct registered *find_in(struct registered *table,
							    struct bytes name)
{
	char lower[NAME_MAX_LEN];
	if (!name.n || name.n > sizeof(lower))
		return NULL;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	struct registered *reg;
	HASH_FIND(hh, table, lower, name.n, reg);
	return reg;
}

struct registered *registry_find_sub(struct registered *parent, struct bytes name)
{
	return find_in(parent->subs, name);
}

/* A command without subcommands, or a container. */
static struct registered *find_top(struct registry *r, struct bytes name, bool own)
{
	struct registered *reg = find_in(r->commands, name);
	if (own || (reg && !reg->renamed))
		return reg;
	return r->aliases ? registry_find_alias(r, name) : NULL;
}

static struct registered *find(struct registry *r, struct bytes name, bool own)
{
	const char *bar = name.n ? memchr(name.p, '|', name.n) : NULL;
	if (!bar)
		return find_top(r, name, own);
	size_t n = (size_t)(bar - name.p);
	struct registered *parent = find_top(r, bytes_of(name.p, n), own);
	return parent ? find_in(parent->subs, bytes_of(bar + 1, name.n - n - 1)) : NULL;
}

struct registered *registry_find(struct registry *r, struct bytes name)
{
	return find(r, name, true);
}

struct registered *registry_find_called(struct registry *r, struct bytes name)
{
	return find(r, name, false);
}

unsigned registry_count(struct registry *r)
{
	unsigned n = 0;
	for (const struct registered *reg = r->commands; reg; reg = reg->hh.next)
		n += !reg->gone;
	return n;
}

/* Up to eight bytes, differently for each different run of @n. */
static inline uint64_t short_word(const char *p, size_t n)
{
	if (n >= 4) {
		uint32_t lo, hi;
		memcpy(&lo, p, 4);
		memcpy(&hi, p + n - 4, 4);
		return lo | (uint64_t)hi << 32;
	}
	const unsigned char *b = (const unsigned char *)p;
	return b[0] | (uint64_t)b[n / 2] << 8 | (uint64_t)b[n - 1] << 16;
}

static __attribute__((noinline)) struct registered *
memorize(struct registry *r, struct registry_memo *m, uint64_t word, struct bytes name)
{
	struct registered *reg = find_top(r, name, false);
	if (reg)
		*m = (struct registry_memo){word, name.n, reg};
	return reg;
}

/* Short names come again and again in the same spelling: a direct-mapped memory of them spares folding and hashing. */
static inline struct registered *find_memo(struct registry *r, struct bytes name)
{
	if (name.n - 1 >= 8)
		return find_top(r, name, false);
	uint64_t word = short_word(name.p, name.n);
	struct registry_memo *m =
		&r->memo[(word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - REGISTRY_MEMO_BITS)];
	if (__builtin_expect(m->word == word && m->n == name.n, 1))
		return m->reg;
	return memorize(r, m, word, name);
}

struct registered *registry_resolve(struct registry *r, int argc, const struct bytes *argv)
{
	struct registered *reg = find_memo(r, argv[0]);
	if (__builtin_expect(!reg || !reg->subs || argc < 2, 1))
		return reg;
	return find_in(reg->subs, argv[1]);
}

struct registered *registry_resolve_own(struct registry *r, int argc, const struct bytes *argv)
{
	struct registered *reg = registry_resolve(r, argc, argv);
	if (reg || !(reg = find_in(r->commands, argv[0])) || !reg->subs || argc < 2)
		return reg;
	return find_in(reg->subs, argv[1]);
}

uint64_t registered_usec(const struct registry *r, const struct registered *c)
{
	return ticks_usec(&r->rate, c->ticks);
}

void registry_count_error(struct registry *r, const char *code)
{
	struct error_stat *e;
	HASH_FIND_STR(r->errors, code, e);
	if (!e) {
		/* Codes may be a script's own words: the table is bounded as Redis bounds it. */
		if (HASH_COUNT(r->errors) >= 128)
			return;
		e = mem_calloc(sizeof(*e));
		snprintf(e->code, sizeof(e->code), "%s", code);
		HASH_ADD_STR(r->errors, code, e);
	}
	e->count++;
}

struct error_stat *registry_errors(struct registry *r)
{
	return r->errors;
}

static void reset_table(struct registered *table)
{
	for (struct registered *reg = table; reg; reg = reg->hh.next) {
		reg->stats = (struct command_stats){0};
		reg->ticks = 0;
		mem_free(reg->latency);
		reg->latency = NULL;
		reset_table(reg->subs);
	}
}

void registry_reset_stats(struct registry *r)
{
	reset_table(r->commands);
	free_errors(r);
}
