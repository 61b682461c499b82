/* DEBUG: switches for tests, and what they show of the process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resp/commands/insight/debug.h"
#include "resp/commands/insight/text.h"
#include "resp/log.h"
#include "resp/persist/aof/aof.h"
#include "resp/server.h"
#include "store/base/glob.h"
#include "store/base/mem.h"
#include "store/base/num.h"
#include "store/keyspace/entry.h"
#include "store/types/table.h"

/* argv[@i] as atoi has it: anything else is 0. */
static bool is_on(const struct call *c, int i)
{
	int64_t v;
	return num_parse_int(c->argv[i], &v) && v != 0;
}

void debug_set_active_expire(struct call *c)
{
	c->server->active_expire = is_on(c, 2);
	reply_ok(c->reply);
}

void debug_set_skip_checksum(struct call *c)
{
	c->server->debug.skip_checksum = is_on(c, 2);
	reply_ok(c->reply);
}

void debug_set_disable_deny_scripts(struct call *c)
{
	c->server->debug.allow_all_in_scripts = is_on(c, 2);
	reply_ok(c->reply);
}

void debug_pause_cron(struct call *c)
{
	c->server->debug.pause_cron = is_on(c, 2);
	reply_ok(c->reply);
}

void debug_dict_resizing(struct call *c)
{
	table_resizing(is_on(c, 2));
	reply_ok(c->reply);
}

void debug_aof_flush_sleep(struct call *c)
{
	int64_t usec = 0;
	if (!num_parse_int(c->argv[2], &usec) || usec < 0)
		usec = 0;
	c->server->debug.aof_flush_sleep_us = usec < 10000000 ? (unsigned)usec : 10000000;
	reply_ok(c->reply);
}

void debug_replybuffer(struct call *c)
{
	struct server_debug *d = &c->server->debug;
	int64_t v;
	if (bytes_is(c->argv[2], "peak-reset-time")) {
		if (bytes_is(c->argv[3], "never"))
			d->reply_peak_ms = -1;
		else if (bytes_is(c->argv[3], "reset"))
			d->reply_peak_ms = 0;
		else if (call_int(c, 3, &v))
			d->reply_peak_ms = v > 0 ? v : 1;
		else
			return;
	} else if (bytes_is(c->argv[2], "resizing")) {
		d->reply_keep = !is_on(c, 3);
	} else {
		call_subcommand_error(c);
		return;
	}
	reply_ok(c->reply);
}

void debug_change_repl_id(struct call *c)
{
	log_line(&c->server->config.log, LOG_LEVEL_NOTICE,
		 "Changing replication IDs after receiving change-repl-id");
	server_make_id(c->server->replid);
	reply_ok(c->reply);
}

/* From this size on an element of a list stands by itself. */
void debug_packed_threshold(struct call *c)
{
	int64_t n;
	if (!num_parse_memory(c->argv[2], &n) || n < 0 || n >= INT64_C(1) << 32) {
		reply_error(c->reply, "ERR argument must be a memory value bigger than 1 and "
				      "smaller than 4gb");
		return;
	}
	c->server->config.limits.list_packed_threshold = (size_t)n;
	reply_ok(c->reply);
}

void debug_config_rewrite_all(struct call *c)
{
	config_reply_rewrite(c->server, c->reply, true);
}

void debug_loadaof(struct call *c)
{
	if (c->server->loading)
		reply_error(c->reply, "LOADING Redis is loading the dataset in memory");
	else if (aof_reload(c->server))
		reply_ok(c->reply);
	else
		reply_error(c->reply, "ERR Error trying to load the AOF files, check server logs.");
}

/* --- the process --- */

void debug_leak(struct call *c)
{
	/* Nothing keeps it: that is what was asked for. */
	void *volatile lost = mem_dup(c->argv[2].p, c->argv[2].n);
	(void)lost;
	reply_ok(c->reply);
}

static void reply_mallctl_error(struct call *c, int error)
{
	reply_errorf(c->reply, "ERR %s", strerror(error));
}

static bool mallctl_name(const struct call *c, char *name, size_t n)
{
	size_t len = c->argv[2].n < n ? c->argv[2].n : 0;
	memcpy(name, c->argv[2].p, len);
	name[len] = '\0';
	return len > 0;
}

void debug_mallctl(struct call *c)
{
	char name[256];
	int64_t to = 0, was = 0;
	if (c->argc == 4 && !call_int(c, 3, &to))
		return;
	int error = mallctl_name(c, name, sizeof(name))
			    ? mem_control(name, &was, c->argc == 4 ? &to : NULL)
			    : ENOENT;
	if (error)
		reply_mallctl_error(c, error);
	else
		reply_int(c->reply, was);
}

void debug_mallctl_str(struct call *c)
{
	char name[256];
	const char *was = NULL;
	int error = mallctl_name(c, name, sizeof(name)) ? mem_control_text(name, &was) : ENOENT;
	if (error)
		reply_mallctl_error(c, error);
	else
		reply_bulk_str(c->reply, was ? was : "");
}

void debug_structsize(struct call *c)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "bits:%d session:%zu call:%zu table:%zu bucket:%d",
			 (int)sizeof(long) * 8, sizeof(struct session), sizeof(struct call),
			 sizeof(struct table), 64);
	reply_status_bytes(c->reply, bytes_of(text, (size_t)n));
}

/* Patterns and strings of a small alphabet, so that they often meet. */
void debug_stringmatch_test(struct call *c)
{
	struct rng *rng = &c->server->keyspace->rng;
	static const char letters[] = "ab*?[]^-\\";
	char pattern[32], text[32];
	for (int i = 0; i < 1000000; i++) {
		size_t np = rng_next(rng) % sizeof(pattern), nt = rng_next(rng) % sizeof(text);
		for (size_t k = 0; k < np; k++)
			pattern[k] = letters[rng_next(rng) % (sizeof(letters) - 1)];
		for (size_t k = 0; k < nt; k++)
			text[k] = letters[rng_next(rng) % 2];
		glob_match(bytes_of(pattern, np), bytes_of(text, nt), false);
	}
	reply_status(c->reply, "Apparently Redis did not crash: test passed");
}
