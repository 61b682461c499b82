/* resp/config/directive.h - one directive: what the table says of it, and how its value is set and shown.
 *
 * The inside of resp/config.h, shared by the files of resp/config/ only.
 */
#ifndef RESP_CONFIG_DIRECTIVE_H
#define RESP_CONFIG_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resp/config.h"
#include "resp/config/text.h"

enum directive_kind {
	DIRECTIVE_BOOL,
	DIRECTIVE_NUMBER,
	DIRECTIVE_ENUM,
	DIRECTIVE_STRING,
	DIRECTIVE_SPECIAL,
};

enum directive_flag {
	D_IMMUTABLE = 1 << 0, /* only at start */
	D_PROTECTED = 1 << 1, /* at run time only as enable-protected-configs says */
	D_HIDDEN = 1 << 2,    /* CONFIG GET shows it by its whole name only */
	D_WORDS = 1 << 3,     /* takes several words */
	D_MEMORY = 1 << 4,    /* a number with a unit */
	D_PERCENT = 1 << 5,   /* or a share: kept negative */
	D_OCTAL = 1 << 6,
	D_UNSIGNED = 1 << 7,  /* up to 2^64-1 */
	D_OWN = 1 << 9,       /* not one of Redis's */
	D_BITS = 1 << 8,      /* an enum of which several may be set */
	D_VERBATIM = 1 << 10, /* its words may hold blanks: one in quotes is one */
};

struct directive_word {
	const char *name; /* NULL ends */
	int value;
};

/* What a refused value is answered with. */
struct config_error {
	char text[512];
};

struct directive;

/* How a directive that is no single bool, number, word or string works. The value that GET shows must be one that set takes back,
 * split at blanks. */
struct directive_special {
	bool (*set)(struct config *cfg, const struct directive *d, int argc, char **argv,
		    struct config_error *err);
	void (*get)(const struct config *cfg, const struct directive *d, struct text *out);
	/* For CONFIG REWRITE: its lines, each ended by a newline, without the test for the default; NULL: name and the
	 * words as they are. */
	void (*lines)(const struct config *cfg, const struct directive *d, struct text *out);
	bool always; /* rewritten even where it is the default */
};

struct directive {
	const char *name; /* NULL ends the table */
	const char *alias;
	enum directive_kind kind;
	uint32_t flags;
	const char *def; /* as redis.conf would have it */
	int64_t min;
	uint64_t max;
	const struct directive_word *words;
	const struct directive_special *special;
	size_t offset, width; /* the member of struct config; no width: a value of config_rest */
	/* A reason against this string, or NULL. */
	const char *(*check)(const char *value);
	/* Have the server follow the new value. False when it cannot: then the old value is set and applied again. */
	bool (*apply)(struct server *s, struct config_error *err);
	const char *doc; /* a sentence for inodis.conf(5) */
	/* The feature is not there yet: any value but the default is refused with this, at start and at run time. */
	const char *missing;
};

#define DIRECTIVES_MAX 256

struct config_rest {
	union {
		bool b;
		int64_t i;
		char *s;
	} value[DIRECTIVES_MAX]; /* by place in the table */
	/* Set by an included file: CONFIG REWRITE may have to write it although it is the default. */
	bool included[DIRECTIVES_MAX];
	bool loading, including;
	bool save_seen;
	char *const *mount_points; /* dir may not go there */
};

extern const struct directive directive_table[];

/* By name or alias, in any case; NULL. @alias tells which. */
const struct directive *directive_find(struct bytes name, bool *alias);
size_t directive_index(const struct directive *d);

/* The value as CONFIG GET prints it, appended. */
void directive_get(const struct config *cfg, const struct directive *d, struct text *out);

/* False with @err filled, and the old value kept. */
bool directive_set(struct config *cfg, const struct directive *d, int argc, char **argv,
		   struct config_error *err);

/* The same from one string, as CONFIG SET has it. */
bool directive_set_text(struct config *cfg, const struct directive *d, struct bytes value,
			struct config_error *err);

/* Where a value lives. */
void *directive_slot(const struct config *cfg, const struct directive *d);
void directive_store_string(char **at, const char *value);
int64_t directive_number(const struct config *cfg, const struct directive *d);

bool config_refuse(struct config_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Digits and a unit (b k kb m mb g gb) as Redis reads them; a number too large is UINT64_MAX. False when malformed. */
bool config_memory(const char *s, uint64_t *out);
/* The other way, with the largest unit that divides it: "64mb". */
void config_memory_text(uint64_t v, struct text *out);

/* The specials, in special.c. */
extern const struct directive_special special_bind, special_save, special_obuf, special_notify,
	special_dir, special_mount, special_oom_values, special_percentiles, special_replicaof,
	special_allow;

void config_drop_mounts(struct config *cfg);

/* What follows a changed value, in apply.c. */
bool apply_policy(struct server *s, struct config_error *err);
bool apply_events(struct server *s, struct config_error *err);
bool apply_hz(struct server *s, struct config_error *err);
bool apply_port(struct server *s, struct config_error *err);
bool apply_bind(struct server *s, struct config_error *err);
bool apply_tls(struct server *s, struct config_error *err);
bool apply_tls_port(struct server *s, struct config_error *err);
bool apply_maxclients(struct server *s, struct config_error *err);
bool apply_scripts(struct server *s, struct config_error *err);
bool apply_maxmemory(struct server *s, struct config_error *err);
bool apply_maxmemory_clients(struct server *s, struct config_error *err);
bool apply_backlog(struct server *s, struct config_error *err);
bool apply_requirepass(struct server *s, struct config_error *err);
bool apply_acllog(struct server *s, struct config_error *err);
bool apply_shutdown(struct server *s, struct config_error *err);
bool apply_title(struct server *s, struct config_error *err);
bool apply_locale(struct server *s, struct config_error *err);
bool apply_oom(struct server *s, struct config_error *err);
bool apply_bg_thread(struct server *s, struct config_error *err);
bool apply_watchdog(struct server *s, struct config_error *err);
bool apply_saving(struct server *s, struct config_error *err);
bool apply_appendonly(struct server *s, struct config_error *err);

#endif
