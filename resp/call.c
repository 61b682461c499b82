/* What handlers lean on. Part of the contract in command.h. */
#include <math.h>
#include <stdio.h>

#include "resp/changes.h"
#include "resp/command.h"
#include "resp/events.h"
#include "resp/journal.h"
#include "resp/server.h"
#include "resp/sessions/blocking.h"
#include "resp/sessions/tracking/tracking.h"
#include "resp/sessions/watch.h"
#include "store/base/keyhash.h"
#include "store/base/num.h"

/* --- changes --- */

/* A key that is not the first: out of the way of the others. */
__attribute__((cold, noinline)) static uint64_t hash_now(struct bytes key)
{
	return keyhash(key);
}

static uint64_t hash_of(const struct call *c, struct bytes key)
{
	if (c->has_hash1 && key.p == c->argv[1].p && key.n == c->argv[1].n)
		return c->hash1;
	return hash_now(key);
}

void call_changed_db(struct call *c, struct db *db, struct bytes key, enum notify_class cls,
		     const char *event)
{
	c->dirty++;
	c->server->stats.dirty++;
	if (c->server->changes)
		changes_mark(c->server->changes, db->id, hash_of(c, key),
			     c->server->keyspace->now_ms);
	if (c->server->watches)
		watch_touch(c->server, db, key, hash_of(c, key));
	if (c->server->awaited_keys)
		blocking_signal(c->server->blocking, db, key, hash_of(c, key));
	if (c->server->tracking)
		tracking_changed(c->server, key, hash_of(c, key), false);
	if (event)
		call_event(c, db, key, cls, event);
}

void call_appended(struct call *c, struct bytes key, enum notify_class cls, const char *event)
{
	changes_appends(c->server->changes, true);
	call_changed(c, key, cls, event);
	changes_appends(c->server->changes, false);
}

void call_noted(struct call *c, struct bytes key)
{
	c->dirty++;
	c->server->stats.dirty++;
	if (c->server->changes)
		changes_mark(c->server->changes, c->db->id, hash_of(c, key),
			     c->server->keyspace->now_ms);
}

void call_event(struct call *c, struct db *db, struct bytes key, enum notify_class cls,
		const char *event)
{
	events_tell(c->server, db, key, cls, event);
}

void call_effect(struct call *c, int argc, const struct bytes *argv)
{
	c->verbatim = false;
	journal_append(c->server->journal, c->db->id, argc, argv);
}

void call_no_journal(struct call *c)
{
	c->verbatim = false;
}

struct blob *call_take_blob(struct call *c, int i)
{
	if (!c->blob || c->blob_arg != i)
		return NULL;
	/* The journal still has to read the argument after the handler: it keeps its own reference until then. */
	return blob_get(c->blob);
}

/* --- waiting --- */

void call_park(struct call *c, const struct park *how)
{
	if (c->ready_key) {
		c->parks = true;
	} else if (c->may_park) {
		c->parks = blocking_begin(c->server->blocking, c->item, how);
		if (!c->parks)
			call_error(c, STORE_ENOMEM);
	} else if (how->plain_null) {
		reply_null(c->reply);
	} else {
		reply_null_array(c->reply);
	}
}

bool call_timeout(struct call *c, int i, int64_t *ms)
{
	long double v;
	if (!num_parse_ldouble(c->argv[i], &v)) {
		reply_error(c->reply, "ERR timeout is not a float or out of range");
		return false;
	}
	v = ceill(v * 1000);
	if (v < 0) {
		reply_error(c->reply, "ERR timeout is negative");
		return false;
	}
	if (v > (long double)(INT64_MAX - c->server->keyspace->now_ms)) {
		reply_error(c->reply, "ERR timeout is out of range");
		return false;
	}
	*ms = (int64_t)v;
	return true;
}

/* --- arguments --- */

bool call_int_or(struct call *c, int i, int64_t *out, const char *error)
{
	if (num_parse_int(c->argv[i], out))
		return true;
	reply_error(c->reply, error);
	return false;
}

bool call_int(struct call *c, int i, int64_t *out)
{
	return call_int_or(c, i, out, "ERR value is not an integer or out of range");
}

bool call_int_range(struct call *c, int i, int64_t min, int64_t max, int64_t *out,
		    const char *error)
{
	int64_t v;
	if (!call_int_or(c, i, &v, error ? error : "ERR value is not an integer or out of range"))
		return false;
	if (v >= min && v <= max) {
		*out = v;
		return true;
	}
	if (error)
		reply_error(c->reply, error);
	else
		reply_errorf(c->reply,
			     "ERR value is out of range, value must between %lld and %lld",
			     (long long)min, (long long)max);
	return false;
}

bool call_double(struct call *c, int i, double *out, const char *error)
{
	if (num_parse_double(c->argv[i], out))
		return true;
	reply_error(c->reply, error ? error : "ERR value is not a valid float");
	return false;
}

/* --- errors --- */

void call_syntax_error(struct call *c)
{
	reply_error(c->reply, "ERR syntax error");
}

void call_wrong_type(struct call *c)
{
	reply_error(c->reply, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

static void upper(char *out, size_t n, const char *name)
{
	size_t i = 0;
	for (; name[i] && i + 1 < n; i++)
		out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] & ~0x20) : name[i];
	out[i] = '\0';
}

static const char *container_name(const struct call *c, char *buf, size_t n)
{
	/* As it was called: it may have another name here. */
	char typed[64];
	snprintf(typed, sizeof(typed), "%.*s", (int)c->argv[0].n, c->argv[0].p);
	upper(buf, n, typed);
	return buf;
}

void call_subcommand_error(struct call *c)
{
	char name[64];
	int n = c->argv[1].n < 128 ? (int)c->argv[1].n : 128;
	reply_errorf(c->reply,
		     "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
		     n, c->argv[1].p, container_name(c, name, sizeof(name)));
}

void call_error(struct call *c, enum store_err err)
{
	switch (err) {
	case STORE_OK:
		reply_ok(c->reply);
		return;
	case STORE_ENOENT:
		reply_error(c->reply, "ERR no such key");
		return;
	case STORE_ETYPE:
		call_wrong_type(c);
		return;
	case STORE_ENOTINT:
		reply_error(c->reply, "ERR value is not an integer or out of range");
		return;
	case STORE_ENOTFLOAT:
		reply_error(c->reply, "ERR value is not a valid float");
		return;
	case STORE_ENAN:
		reply_error(c->reply, "ERR resulting score is not a number (NaN)");
		return;
	case STORE_EOVERFLOW:
		reply_error(c->reply, "ERR increment or decrement would overflow");
		return;
	case STORE_ERANGE:
		reply_error(c->reply, "ERR index out of range");
		return;
	case STORE_ETOOBIG:
		reply_error(c->reply,
			    "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
		return;
	case STORE_ENOMEM:
		reply_error(c->reply, "OOM command not allowed when used memory > 'maxmemory'.");
		return;
	case STORE_ECORRUPT:
		reply_error(c->reply, "ERR Bad data format");
		return;
	}
}

void call_help(struct call *c, const char *const *lines)
{
	char name[64];
	size_t n = 0;
	while (lines[n])
		n++;
	reply_array(c->reply, n + 3);
	char head[160];
	snprintf(head, sizeof(head), "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
		 container_name(c, name, sizeof(name)));
	reply_status(c->reply, head);
	for (size_t i = 0; i < n; i++)
		reply_status(c->reply, lines[i]);
	reply_status(c->reply, "HELP");
	reply_status(c->reply, "    Prints this help.");
}

/* --- looking up --- */

bool call_read(struct call *c, int i, enum value_type type, uint64_t *word)
{
	enum keyspace_lookup how =
		c->session->flags & SESSION_NO_TOUCH ? KEYSPACE_COUNT : KEYSPACE_TOUCH;
	uint64_t hash = i == 1 && c->has_hash1 ? c->hash1 : keyhash(c->argv[i]);
	*word = keyspace_read_hashed(c->db, c->argv[i], hash, how);
	if (!*word || word_type(*word) == type)
		return true;
	call_wrong_type(c);
	return false;
}

bool call_write(struct call *c, int i, enum value_type type, uint64_t **slot)
{
	uint64_t hash = i == 1 && c->has_hash1 ? c->hash1 : keyhash(c->argv[i]);
	*slot = keyspace_write_hashed(c->db, c->argv[i], hash);
	if (!*slot || word_type(**slot) == type)
		return true;
	call_wrong_type(c);
	return false;
}
