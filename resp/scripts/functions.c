/* resp/scripts/functions.c - FUNCTION and FCALL, and libraries in the RDB. */
#define uthash_malloc(n)  mem_alloc(n)
#define uthash_free(p, n) mem_free(p)
#include <stdio.h>
#include <string.h>

#include "resp/insight/monitor.h"
#include "resp/scripts/internal.h"
#include "resp/scripts/libraries.h"
#include "resp/server.h"
#include "resp/ticks.h"
#include "store/base/glob.h"
#include "store/base/mem.h"
#include "store/persist/crc64.h"
#include "store/persist/rdb_format.h"
#include "store/persist/rdb_in.h"
#include "store/persist/rdb_load.h"

static void changed(struct call *c)
{
	c->dirty++;
	c->server->stats.dirty++;
}

/* --- FCALL --- */

static const struct function *find_function(const struct scripts *s, struct bytes name)
{
	struct function *f;
	char few[64], *folded = name.n <= sizeof(few) ? few : mem_try(name.n);

	if (!folded)
		return NULL;
	for (size_t i = 0; i < name.n; i++)
		folded[i] =
			name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
	HASH_FIND(hh, s->libraries->functions, folded, name.n, f);
	if (folded != few)
		mem_free(folded);
	return f;
}

uint32_t functions_flags(const struct scripts *s, struct bytes name)
{
	const struct function *f = find_function(s, name);

	return f ? f->flags : SCRIPT_COMPAT;
}

void scripts_fcall(struct call *c, bool read_only)
{
	struct scripts *s = c->server->scripts;
	const struct function *f = find_function(s, c->argv[1]);
	int64_t nkeys;

	if (c->server->monitors)
		monitor_feed(c->session, c->db->id, c->argc, c->argv);
	if (!f) {
		reply_error(c->reply, "ERR Function not found");
		return;
	}
	if (!call_int_or(c, 2, &nkeys, "ERR Bad number of keys provided"))
		return;
	if (nkeys > c->argc - 3) {
		reply_error(c->reply, "ERR Number of keys can't be greater than number of args");
		return;
	}
	if (nkeys < 0) {
		reply_error(c->reply, "ERR Number of keys can't be negative");
		return;
	}
	struct run run = {.engine = &s->functions,
			  .call = c,
			  .name = f->name,
			  .function = f->ref,
			  .flags = f->flags,
			  .read_only = read_only,
			  .nkeys = (int)nkeys,
			  .keys = c->argv + 3,
			  .nargs = c->argc - 3 - (int)nkeys,
			  .args = c->argv + 3 + nkeys};
	run_script(&run);
}

/* --- FUNCTION LOAD, DELETE, FLUSH --- */

static bool load(struct scripts *s, struct bytes code, bool replace, char *why, size_t room,
		 const char **name)
{
	struct library *l = library_load(s, code, replace, s->libraries, why, room);

	if (!l)
		return false;
	if (!libraries_add(s, s->libraries, l, replace, why, room)) {
		library_free(s, l);
		return false;
	}
	if (name)
		*name = l->name;
	return true;
}

void scripts_function_load(struct call *c, struct bytes code, bool replace)
{
	char why[512];
	const char *name;

	if (!load(c->server->scripts, code, replace, why, sizeof(why), &name)) {
		reply_error(c->reply, why);
		return;
	}
	changed(c);
	reply_bulk_str(c->reply, name);
}

void scripts_function_delete(struct call *c)
{
	struct scripts *s = c->server->scripts;
	struct library *l = libraries_find(s->libraries, c->argv[2]);

	if (!l) {
		reply_error(c->reply, "ERR Library not found");
		return;
	}
	libraries_remove(s, s->libraries, l);
	changed(c);
	reply_ok(c->reply);
}

void functions_clear(struct scripts *s)
{
	libraries_clear(s, s->libraries);
	engine_fini(&s->functions);
	engine_init(&s->functions, s, true);
}

void scripts_function_flush(struct call *c)
{
	functions_clear(c->server->scripts);
	changed(c);
	reply_ok(c->reply);
}

/* --- FUNCTION LIST, STATS --- */

static void list_function(struct reply *r, const struct function *f)
{
	size_t n = 0;

	reply_map(r, 3);
	reply_bulk_str(r, "name");
	reply_bulk_str(r, f->name);
	reply_bulk_str(r, "description");
	if (f->description)
		reply_bulk_str(r, f->description);
	else
		reply_null(r);
	reply_bulk_str(r, "flags");
	for (const struct script_flag_name *flag = script_flag_names; flag->name; flag++)
		n += (f->flags & flag->flag) != 0;
	reply_set(r, n);
	for (const struct script_flag_name *flag = script_flag_names; flag->name; flag++)
		if (f->flags & flag->flag)
			reply_status(r, flag->name);
}

static void list_library(struct reply *r, const struct library *l, bool with_code)
{
	reply_map(r, with_code ? 4 : 3);
	reply_bulk_str(r, "library_name");
	reply_bulk_str(r, l->name);
	reply_bulk_str(r, "engine");
	reply_bulk_str(r, "LUA");
	reply_bulk_str(r, "functions");
	reply_array(r, l->count);
	for (const struct function *f = l->functions; f; f = f->next)
		list_function(r, f);
	if (!with_code)
		return;
	reply_bulk_str(r, "library_code");
	reply_bulk(r, l->code);
}

void scripts_function_list(struct call *c, const struct bytes *pattern, bool with_code)
{
	struct reply_later later = reply_later_begin(c->reply);
	size_t n = 0;

	for (const struct library *l = c->server->scripts->libraries->libraries; l;
	     l = l->hh.next) {
		if (pattern && !glob_match(*pattern, bytes_str(l->name), true))
			continue;
		list_library(c->reply, l, with_code);
		n++;
	}
	reply_later_end(c->reply, later, '*', n);
}

void scripts_function_stats(struct call *c)
{
	const struct scripts *s = c->server->scripts;
	const struct run *run = s->run && !s->run->is_eval ? s->run : NULL;
	struct reply *r = c->reply;

	if (s->run && s->run->is_eval) {
		reply_error(r, c->server->busy ? c->server->busy : "ERR a script runs");
		return;
	}
	reply_map(r, 2);
	reply_bulk_str(r, "running_script");
	if (run) {
		reply_map(r, 3);
		reply_bulk_str(r, "name");
		reply_bulk_str(r, run->name);
		reply_bulk_str(r, "command");
		reply_array(r, (size_t)run->call->argc);
		for (int i = 0; i < run->call->argc; i++)
			reply_bulk(r, run->call->argv[i]);
		reply_bulk_str(r, "duration_ms");
		reply_int(r, (int64_t)((ticks_ns() - run->began_ns) / 1000000));
	} else {
		reply_null(r);
	}
	reply_bulk_str(r, "engines");
	reply_map(r, 1);
	reply_bulk_str(r, "LUA");
	reply_map(r, 2);
	reply_bulk_str(r, "libraries_count");
	reply_int(r, HASH_COUNT(s->libraries->libraries));
	reply_bulk_str(r, "functions_count");
	reply_int(r, HASH_COUNT(s->libraries->functions));
}

/* --- FUNCTION DUMP, RESTORE, and the RDB --- */

void scripts_write_functions(struct scripts *s, struct rdb_out *o)
{
	for (const struct library *l = s->libraries->libraries; l; l = l->hh.next) {
		rdb_out_byte(o, RDB_OP_FUNCTION2);
		rdb_out_string(o, l->code);
	}
}

void scripts_each_library(struct scripts *s, void (*fn)(void *arg, struct bytes code), void *arg)
{
	for (const struct library *l = s->libraries->libraries; l; l = l->hh.next)
		fn(arg, l->code);
}

bool scripts_read_function(struct scripts *s, struct bytes code, bool replace, char *why,
			   size_t room)
{
	return load(s, code, replace, why, room, NULL);
}

void scripts_function_dump(struct call *c)
{
	uint16_t version = RDB_VERSION_WRITE;
	struct rdb_out o;

	rdb_out_init(&o, -1);
	o.compress = c->server->config.rdbcompression;
	scripts_write_functions(c->server->scripts, &o);
	rdb_out_bytes(&o, &version, sizeof(version));
	uint64_t crc = o.error ? 0 : crc64(0, o.buf, o.len);
	rdb_out_bytes(&o, &crc, sizeof(crc));
	if (o.error)
		call_error(c, STORE_ENOMEM);
	else
		reply_bulk(c->reply, bytes_of(o.buf, o.len));
	rdb_out_fini(&o);
}

/* What stands in the payload, into a set of its own. */
static bool read_payload(struct scripts *s, struct bytes payload, struct libraries *set, char *why,
			 size_t room)
{
	struct rdb_in in;
	struct bytes code;
	bool ok = true;

	rdb_in_memory(&in, payload.p, payload.n - 10);
	while (ok && rdb_in_left(&in)) {
		const unsigned char *op = rdb_in_take(&in, 1);
		if (!op || *op != RDB_OP_FUNCTION2) {
			snprintf(why, room, "ERR given type is not a function");
			ok = false;
		} else if (!rdb_in_string(&in, 0, &code)) {
			snprintf(why, room, "ERR failed loading functions payload");
			ok = false;
		} else {
			struct library *l = library_load(s, code, false, set, why, room);
			ok = l && libraries_add(s, set, l, false, why, room);
			if (l && !ok)
				library_free(s, l);
		}
	}
	rdb_in_fini(&in);
	return ok;
}

/* Whether all of @from can go to @to. */
static bool fits(const struct libraries *to, const struct libraries *from, bool replace, char *why,
		 size_t room)
{
	for (const struct library *l = from->libraries; l; l = l->hh.next) {
		if (!replace && libraries_find(to, bytes_str(l->name))) {
			snprintf(why, room, "ERR Library %s already exists", l->name);
			return false;
		}
		for (const struct function *f = l->functions; f; f = f->next) {
			struct function *taken;
			HASH_FIND_STR(to->functions, f->folded, taken);
			if (!taken || libraries_find(from, bytes_str(taken->library->name)))
				continue;
			snprintf(why, room, "ERR Function %s already exists", f->name);
			return false;
		}
	}
	return true;
}

static void move_all(struct scripts *s, struct libraries *to, struct libraries *from)
{
	struct library *l, *next;
	struct function *f, *after;
	char why[512];

	HASH_ITER (hh, from->functions, f, after)
		HASH_DEL(from->functions, f);
	HASH_ITER (hh, from->libraries, l, next) {
		struct library *old = libraries_find(to, bytes_str(l->name));
		if (old)
			libraries_remove(s, to, old);
	}
	HASH_ITER (hh, from->libraries, l, next) {
		HASH_DEL(from->libraries, l);
		libraries_add(s, to, l, true, why, sizeof(why));
	}
}

void scripts_function_restore(struct call *c, struct bytes payload, bool flush, bool replace)
{
	struct scripts *s = c->server->scripts;
	struct libraries set = {NULL, NULL};
	char why[512];

	if (!rdb_payload_verify(payload, true)) {
		reply_error(c->reply, "ERR DUMP payload version or checksum are wrong");
		return;
	}
	if (!read_payload(s, payload, &set, why, sizeof(why)) ||
	    (!flush && !fits(s->libraries, &set, replace, why, sizeof(why)))) {
		libraries_clear(s, &set);
		reply_error(c->reply, why);
		return;
	}
	if (flush)
		libraries_clear(s, s->libraries);
	move_all(s, s->libraries, &set);
	changed(c);
	reply_ok(c->reply);
}

void functions_figures(const struct scripts *s, struct scripts_figures *out)
{
	out->functions = HASH_COUNT(s->libraries->functions);
	out->libraries = HASH_COUNT(s->libraries->libraries);
	for (const struct library *l = s->libraries->libraries; l; l = l->hh.next)
		out->functions_mem += mem_size(l) + mem_size(l->code.p) + mem_size(l->name);
	for (const struct function *f = s->libraries->functions; f; f = f->hh.next)
		out->functions_mem += mem_size(f) + mem_size(f->name) + mem_size(f->description);
}
