/* MIGRATE: keys on their way to another server.
 *
 * The server waits for the other one, as Redis does: until it has said that it holds them, the keys must neither change nor be seen in
 * both places. The time is bounded by the command's own timeout, for each step.
 */
#include <errno.h>

#include "resp/commands/commands.h"
#include "resp/net/peer.h"
#include "resp/server.h"
#include "store/base/mem.h"
#include "store/persist/rdb_save.h"

struct migration {
	struct call *call;
	bool copy, replace;
	struct bytes user, password; /* p NULL when not given */
	int first, last;             /* of the keys, in argv */
	int64_t db, ms;
	int *keys; /* their positions: those that are there */
	int n;
	struct peer *peer;
	bool selects;
	bool writing;      /* what failed was writing */
	bool told;         /* an error was replied */
	struct bytes *del; /* DEL and the keys that went */
	int ndel;
};

/* --- what is asked for --- */

static bool read_option(struct migration *m, int *i)
{
	struct call *c = m->call;
	struct bytes word = c->argv[*i];
	int more = c->argc - 1 - *i;
	if (bytes_is(word, "copy")) {
		m->copy = true;
	} else if (bytes_is(word, "replace")) {
		m->replace = true;
	} else if (bytes_is(word, "auth") && more) {
		m->password = c->argv[++*i];
	} else if (bytes_is(word, "auth2") && more > 1) {
		m->user = c->argv[++*i];
		m->password = c->argv[++*i];
	} else if (bytes_is(word, "keys")) {
		if (c->argv[3].n) {
			reply_error(c->reply, "ERR When using MIGRATE KEYS option, the key "
					      "argument must be set to the empty string");
			return false;
		}
		m->first = *i + 1;
		m->last = c->argc - 1;
		*i = c->argc;
	} else {
		call_syntax_error(c);
		return false;
	}
	return true;
}

static bool read_arguments(struct migration *m)
{
	struct call *c = m->call;
	m->first = m->last = 3;
	for (int i = 6; i < c->argc; i++)
		if (!read_option(m, &i))
			return false;
	if (!call_int(c, 5, &m->ms) || !call_int(c, 4, &m->db))
		return false;
	if (m->ms <= 0)
		m->ms = 1000;
	return true;
}

static bool find_keys(struct migration *m)
{
	struct call *c = m->call;
	size_t room = (size_t)(m->last - m->first + 1);
	m->keys = mem_try((room + 1) * sizeof(*m->keys));
	m->del = mem_try((room + 1) * sizeof(*m->del));
	if (!m->keys || !m->del) {
		call_error(c, STORE_ENOMEM);
		return false;
	}
	for (int i = m->first; i <= m->last; i++)
		if (keyspace_read(c->db, c->argv[i], KEYSPACE_TOUCH))
			m->keys[m->n++] = i;
	if (!m->n)
		reply_status(c->reply, "NOKEY");
	return m->n > 0;
}

/* --- what is sent --- */

static void put_prologue(struct migration *m, struct reply *out)
{
	if (m->password.p) {
		reply_array(out, m->user.p ? 3 : 2);
		reply_bulk(out, BYTES("AUTH"));
		if (m->user.p)
			reply_bulk(out, m->user);
		reply_bulk(out, m->password);
	}
	m->selects = m->peer->db != m->db;
	if (m->selects) {
		reply_array(out, 2);
		reply_bulk(out, BYTES("SELECT"));
		reply_bulk_int(out, m->db);
	}
}

/* False when there is no memory for the value's bytes. */
static bool put_key(struct migration *m, struct bytes key, uint64_t word, struct reply *out)
{
	struct call *c = m->call;
	struct rdb_out o;
	int64_t ttl = 0;
	if (entry_expiry(word) >= 0) {
		ttl = entry_expiry(word) - c->server->keyspace->now_ms;
		ttl = ttl < 1 ? 1 : ttl;
	}
	rdb_out_init(&o, -1);
	o.compress = c->server->config.rdbcompression;
	rdb_dump(&o, word);
	bool fits = !o.error;
	if (fits) {
		reply_array(out, m->replace ? 5 : 4);
		reply_bulk(out, BYTES("RESTORE"));
		reply_bulk(out, key);
		reply_bulk_int(out, ttl);
		reply_bulk(out, bytes_of(o.buf, o.len));
		if (m->replace)
			reply_bulk(out, BYTES("REPLACE"));
	}
	rdb_out_fini(&o);
	return fits;
}

static bool put_keys(struct migration *m, struct reply *out)
{
	struct call *c = m->call;
	for (int i = 0; i < m->n; i++) {
		struct bytes key = c->argv[m->keys[i]];
		uint64_t word = keyspace_read(c->db, key, KEYSPACE_NOTOUCH);
		if (word && !put_key(m, key, word, out)) {
			call_error(c, STORE_ENOMEM);
			m->told = true;
			return false;
		}
	}
	return true;
}

/* --- what comes back --- */

static void took(struct migration *m, struct bytes key)
{
	struct call *c = m->call;
	if (m->copy || !keyspace_delete(c->db, key, KEYSPACE_FREE_LAZY))
		return;
	call_changed(c, key, NOTIFY_GENERIC, "del");
	m->del[1 + m->ndel++] = key;
}

/* The target's first error is ours. */
static void pass_error(struct migration *m, const char *line)
{
	m->peer->db = -1;
	if (!m->told)
		reply_errorf(m->call->reply, "ERR Target instance replied with error: %s",
			     line + 1);
	m->told = true;
}

/* How many keys were answered before the connection failed. */
static int read_answers(struct migration *m)
{
	char auth[1024] = "", select[1024] = "", line[1024];
	if (m->password.p && !peer_line(m->peer, auth, sizeof(auth), m->ms))
		return 0;
	if (m->selects && !peer_line(m->peer, select, sizeof(select), m->ms))
		return 0;
	for (int i = 0; i < m->n; i++) {
		if (!peer_line(m->peer, line, sizeof(line), m->ms))
			return i;
		if (auth[0] == '-')
			pass_error(m, auth);
		else if (select[0] == '-')
			pass_error(m, select);
		else if (line[0] == '-')
			pass_error(m, line);
		else
			took(m, m->call->argv[m->keys[i]]);
	}
	return m->n;
}

/* True when it is over: done, or failed in a way that no second attempt could mend. errno says how it failed otherwise. */
static bool attempt(struct migration *m)
{
	struct reply out;
	reply_init(&out, 2);
	put_prologue(m, &out);
	bool complete = put_keys(m, &out);
	m->writing = complete && !peer_send(m->peer, &out, m->ms);
	int error = errno;
	reply_fini(&out);
	if (!complete)
		return true;
	int answered = m->writing ? 0 : read_answers(m);
	if (!m->writing)
		error = errno;
	if (answered == m->n) {
		if (!m->told)
			m->peer->db = m->db;
		return true;
	}
	peer_drop(m->call->server, m->peer);
	m->peer = NULL;
	errno = error;
	return answered > 0 || m->told;
}

static void transfer(struct migration *m)
{
	struct call *c = m->call;
	for (bool again = false;; again = true) {
		m->peer = peer_get(c->server, c->argv[1], c->argv[2], m->ms);
		if (!m->peer) {
			reply_error(c->reply, "IOERR error or timeout connecting to the client");
			return;
		}
		/* What lay idle may have been closed by the other side: nothing was taken, it is tried once more. */
		if (attempt(m) || again || errno == ETIMEDOUT)
			break;
	}
	if (m->peer && !m->told)
		reply_ok(c->reply);
	else if (!m->told)
		reply_errorf(c->reply, "IOERR error or timeout %s to target instance",
			     m->writing ? "writing" : "reading");
}

static void cmd_migrate(struct call *c)
{
	struct migration m = {.call = c};
	if (read_arguments(&m) && find_keys(&m)) {
		transfer(&m);
		m.del[0] = BYTES("DEL");
		if (m.ndel)
			call_effect(c, 1 + m.ndel, m.del);
	}
	mem_free(m.keys);
	mem_free(m.del);
}

/* --- the table --- */

static int migrate_keys(int argc, const struct bytes *argv, int *positions, int max)
{
	int n = 0;
	if (argc < 4 || max < 1)
		return -1;
	if (argv[3].n) {
		positions[0] = 3;
		return 1;
	}
	for (int i = 6; i < argc; i++) {
		if (bytes_is(argv[i], "auth"))
			i++;
		else if (bytes_is(argv[i], "auth2"))
			i += 2;
		else if (bytes_is(argv[i], "keys")) {
			while (++i < argc && n < max)
				positions[n++] = i;
			return n;
		}
	}
	return n;
}

const struct command migrate_commands[] = {
	{.name = "migrate",
	 .run = cmd_migrate,
	 .arity = -6,
	 .flags = CMD_WRITE | CMD_MOVABLEKEYS,
	 .categories = CAT_KEYSPACE | CAT_DANGEROUS,
	 .keys = {KEYS_AT(KEY_RW | KEY_ACCESS | KEY_DELETE, 3, 0, 1),
		  {.flags = KEY_RW | KEY_ACCESS | KEY_DELETE | KEY_INCOMPLETE,
		   .begin = KEYS_BEGIN_KEYWORD,
		   .keyword = "KEYS",
		   .index = -2,
		   .find = KEYS_FIND_RANGE,
		   .lastkey = -1,
		   .step = 1}},
	 .summary = "Move keys, or copies of them, to another server",
	 .since = "2.6.0",
	 .group = "generic",
	 .complexity = "O(N*M) to write and send N elements of M bytes; the server waits meanwhile",
	 .syntax = "host port <key_or_empty_string: key|empty_string=''> destination-db:integer "
		   "timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] [authentication: [AUTH "
		   "password@4.0.7]|[username_password@6.0.0: AUTH2 username password]] [KEYS "
		   "key@3.0.6 [key ...]]",
	 .tips = (const char *const[]){"nondeterministic_output", NULL},
	 .getkeys = migrate_keys},
	{0},
};
