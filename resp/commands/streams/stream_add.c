/* XADD and XTRIM: ids given and made, and bounds on the length. */
#include "resp/commands/streams/stream.h"
#include "resp/journal.h"
#include "store/base/mem.h"

/* What stands between the key and the id of XADD, or makes up XTRIM. */
struct options {
	struct stream_trim trim;
	bool trims, no_mkstream;
	bool made, open; /* the id is "*", or "ms-*" */
	struct stream_id id;
	int at; /* the id's place in argv; argc when there is none */
};

/* MAXLEN or MINID at argv[*i], on to its last argument. */
static bool read_bound(struct call *c, bool by_id, int *i, struct options *o)
{
	struct bytes sign = c->argv[*i + 1];
	int64_t maxlen;

	if (o->trims) {
		reply_error(c->reply, "ERR syntax error, MAXLEN and MINID options at the same time "
				      "are not compatible");
		return false;
	}
	bool has_sign = *i + 2 < c->argc && (bytes_is(sign, "~") || bytes_is(sign, "="));
	o->trim.approx = has_sign && sign.p[0] == '~';
	o->trim.by_id = by_id;
	o->trims = true;
	*i += has_sign ? 2 : 1;
	if (by_id)
		return stream_id_arg(c, *i, &o->trim.minid);
	if (!call_int(c, *i, &maxlen))
		return false;
	if (maxlen < 0) {
		reply_error(c->reply, "ERR The MAXLEN argument must be >= 0.");
		return false;
	}
	o->trim.maxlen = (uint64_t)maxlen;
	return true;
}

static bool read_limit(struct call *c, int i, struct options *o)
{
	int64_t limit;

	if (!call_int(c, i, &limit))
		return false;
	if (limit < 0) {
		reply_error(c->reply, "ERR The LIMIT argument must be >= 0.");
		return false;
	}
	o->trim.limit = (uint64_t)limit;
	return true;
}

/* Without LIMIT an inexact trimming stops after a hundred nodes. */
static bool check_limit(struct call *c, bool xadd, bool given, struct options *o)
{
	const char *error = NULL;

	if (o->trim.limit && !o->trims)
		error = "ERR syntax error, LIMIT cannot be used without specifying a trimming "
			"strategy";
	else if (!xadd && !o->trims)
		error = "ERR syntax error, XTRIM must be called with a trimming strategy";
	else if (given && !o->trim.approx)
		error = "ERR syntax error, LIMIT cannot be used without the special ~ option";
	if (error) {
		reply_error(c->reply, error);
		return false;
	}
	if (!given && o->trim.approx) {
		size_t most = c->server->config.limits.stream_node_max_entries;
		o->trim.limit = most == 0 ? 10000 : most > 10000 ? 1000000 : 100 * most;
	}
	return true;
}

/* The error is replied when false. */
static bool read_options(struct call *c, bool xadd, struct options *o)
{
	bool limited = false;
	int i;

	*o = (struct options){0};
	for (i = 2; i < c->argc; i++) {
		struct bytes word = c->argv[i];
		bool more = i + 1 < c->argc;
		if (xadd && bytes_is(word, "*")) {
			o->made = true;
			break;
		} else if (more && (bytes_is(word, "maxlen") || bytes_is(word, "minid"))) {
			if (!read_bound(c, bytes_is(word, "minid"), &i, o))
				return false;
		} else if (more && bytes_is(word, "limit")) {
			if (!read_limit(c, ++i, o))
				return false;
			limited = true;
		} else if (xadd && bytes_is(word, "nomkstream")) {
			o->no_mkstream = true;
		} else if (!xadd) {
			call_syntax_error(c);
			return false;
		} else if (!stream_id_parse(word, 0, true, &o->id, &o->open)) {
			stream_id_error(c);
			return false;
		} else {
			break;
		}
	}
	o->at = i;
	return check_limit(c, xadd, limited, o);
}

/* --- XADD --- */

/* The id that the new entry of a stream that ended at @last gets; false when it is none above that. */
static bool next_id(struct call *c, const struct options *o, struct stream_id last,
		    struct stream_id *id)
{
	uint64_t now = (uint64_t)c->db->ks->now_ms;

	*id = o->id;
	if (o->made && now > last.ms) {
		*id = (struct stream_id){now, 0};
	} else if (o->made) {
		*id = last;
		return stream_id_next(id);
	} else if (o->open && id->ms == last.ms) {
		*id = last;
		return id->seq++ != UINT64_MAX;
	}
	return stream_id_cmp(*id, last) > 0;
}

/* The words by which what a trimming did can be done again, exactly. */
static int trim_words(const struct stream *s, const struct stream_trim *t, struct bytes out[3],
		      char *buf)
{
	const struct stream_info *info = stream_info(s);

	out[1] = BYTES("=");
	/* Of an empty stream no id says how far it went. */
	if (t->by_id && info->length) {
		out[0] = BYTES("MINID");
		out[2] = stream_id_text(info->first, buf);
	} else {
		out[0] = BYTES("MAXLEN");
		out[2] = bytes_of(buf, num_format_int(buf, (int64_t)info->length));
	}
	return 3;
}

/* Journal the call with the id that it made and the bound that it came to. */
static void journal_add(struct call *c, const struct stream *s, const struct options *o,
			struct stream_id id)
{
	char id_buf[STREAM_ID_BUF], trim_buf[STREAM_ID_BUF];
	int n = 0;

	if (!journal_active(c->server->journal) || (!o->made && !o->open && !o->trim.approx))
		return;
	struct bytes *words = mem_alloc(((size_t)c->argc + 4) * sizeof(*words));
	words[n++] = BYTES("XADD");
	words[n++] = c->argv[1];
	if (o->trims)
		n += trim_words(s, &o->trim, words + n, trim_buf);
	words[n++] = stream_id_text(id, id_buf);
	for (int i = o->at + 1; i < c->argc; i++)
		words[n++] = c->argv[i];
	call_effect(c, n, words);
	mem_free(words);
}

/* Append the call's entry; the error is replied when false. */
static bool append(struct call *c, struct stream *s, const struct options *o, struct stream_id *id)
{
	struct stream_id last = stream_info(s)->last;

	if (last.ms == UINT64_MAX && last.seq == UINT64_MAX) {
		reply_error(c->reply, "ERR The stream has exhausted the last possible ID, unable "
				      "to add more items");
		return false;
	}
	enum store_err err = STORE_ERANGE;
	if (next_id(c, o, last, id))
		err = stream_append(s, *id, c->argv + o->at + 1, (size_t)(c->argc - o->at - 1) / 2,
				    &c->server->config.limits);
	if (err == STORE_ERANGE)
		reply_error(c->reply, "ERR The ID specified in XADD is equal or smaller than the "
				      "target stream top item");
	else if (err == STORE_ETOOBIG)
		reply_error(c->reply, "ERR Elements are too large to be stored");
	else if (err)
		call_error(c, err);
	return err == STORE_OK;
}

void stream_cmd_xadd(struct call *c)
{
	struct stream_id id;
	struct options o;
	uint64_t *slot;

	if (!read_options(c, true, &o))
		return;
	int words = c->argc - o.at - 1;
	if (words < 2 || words % 2) {
		reply_error(c->reply, "ERR wrong number of arguments for 'xadd' command");
		return;
	}
	if (!o.made && !o.open && !o.id.ms && !o.id.seq) {
		reply_error(c->reply, "ERR The ID specified in XADD must be greater than 0-0");
		return;
	}
	if (!call_write(c, 1, VALUE_STREAM, &slot))
		return;
	if (!slot && o.no_mkstream) {
		reply_null(c->reply);
		return;
	}
	struct stream *s = slot ? entry_container(*slot) : stream_new();
	if (!append(c, s, &o, &id)) {
		if (!slot)
			stream_free(s);
		return;
	}
	if (!slot)
		keyspace_add(c->db, c->argv[1], VALUE_STREAM, s);
	stream_reply_id(c, id);
	if (o.trims)
		call_changed(c, c->argv[1], NOTIFY_STREAM, "xadd");
	else
		call_appended(c, c->argv[1], NOTIFY_STREAM, "xadd");
	if (o.trims && stream_trim(s, &o.trim))
		call_event(c, c->db, c->argv[1], NOTIFY_STREAM, "xtrim");
	journal_add(c, s, &o, id);
}

/* --- XTRIM --- */

void stream_cmd_xtrim(struct call *c)
{
	struct bytes words[5] = {BYTES("XTRIM"), c->argv[1]};
	char buf[STREAM_ID_BUF];
	struct options o;
	uint64_t *slot;

	if (!read_options(c, false, &o) || !call_write(c, 1, VALUE_STREAM, &slot))
		return;
	struct stream *s = slot ? entry_container(*slot) : NULL;
	uint64_t deleted = s ? stream_trim(s, &o.trim) : 0;
	reply_int(c->reply, (int64_t)deleted);
	if (!deleted)
		return;
	call_changed(c, c->argv[1], NOTIFY_STREAM, "xtrim");
	if (o.trim.approx) {
		int n = trim_words(s, &o.trim, words + 2, buf);
		call_effect(c, 2 + n, words);
	}
}
