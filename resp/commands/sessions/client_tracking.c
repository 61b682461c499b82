/* CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: caches that clients keep. */
#include "resp/commands/sessions/client.h"

#include "resp/server.h"
#include "resp/sessions/tracking/prefixes.h"
#include "resp/sessions/tracking/tracking.h"
#include "store/base/mem.h"

/* --- TRACKING --- */

struct wish {
	unsigned options; /* enum tracking_option */
	int64_t redirect;
	struct bytes *prefixes; /* room for all that may be said */
	size_t n;
};

static bool read_redirect(struct call *c, int i, struct wish *w)
{
	if (w->redirect) {
		reply_error(c->reply, "ERR A client can only redirect to a single other client");
		return false;
	}
	if (!call_int(c, i, &w->redirect))
		return false;
	struct session *to = session_find(c->server, (uint64_t)w->redirect);
	if (to && !(to->flags & SESSION_INTERNAL))
		return true;
	reply_error(c->reply, "ERR The client ID you want redirect to does not exist");
	return false;
}

static bool read_options(struct call *c, struct wish *w)
{
	static const struct {
		const char *word;
		unsigned option;
	} words[] = {{"bcast", TRACKING_BCAST},
		     {"optin", TRACKING_OPTIN},
		     {"optout", TRACKING_OPTOUT},
		     {"noloop", TRACKING_NOLOOP}};
	for (int i = 3; i < c->argc; i++) {
		struct bytes word = c->argv[i];
		bool more = i + 1 < c->argc;
		unsigned option = 0;
		for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
			if (bytes_is(word, words[k].word))
				option = words[k].option;
		w->options |= option;
		if (option)
			continue;
		if (more && bytes_is(word, "redirect")) {
			if (!read_redirect(c, ++i, w))
				return false;
		} else if (more && bytes_is(word, "prefix")) {
			w->prefixes[w->n++] = c->argv[++i];
		} else {
			call_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Why these options do not go together, or not with what the session has; NULL when they do. */
static const char *contradiction(const struct session *s, const struct wish *w)
{
	unsigned now = tracking_options(s), want = w->options;
	unsigned opt = TRACKING_OPTIN | TRACKING_OPTOUT;
	if (!(want & TRACKING_BCAST) && w->n)
		return "ERR PREFIX option requires BCAST mode to be enabled";
	if (tracking_is_on(s) && (now ^ want) & TRACKING_BCAST)
		return "ERR You can't switch BCAST mode on/off before disabling tracking for this "
		       "client, and then re-enabling it with a different mode.";
	if (want & TRACKING_BCAST && want & opt)
		return "ERR OPTIN and OPTOUT are not compatible with BCAST";
	if ((want & opt) == opt)
		return "ERR You can't specify both OPTIN mode and OPTOUT mode";
	if ((want & TRACKING_OPTIN && now & TRACKING_OPTOUT) ||
	    (want & TRACKING_OPTOUT && now & TRACKING_OPTIN))
		return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this "
		       "client, and then re-enabling it with a different mode.";
	return NULL;
}

/* Whether the prefixes leave each other alone, and those that the session has. */
static bool prefixes_fit(struct call *c, const struct wish *w)
{
	size_t old = tracking_prefixes(c->session), one, other;
	struct bytes *all = mem_try((old + w->n + 1) * sizeof(*all));
	if (!all) {
		call_error(c, STORE_ENOMEM);
		return false;
	}
	for (size_t i = 0; i < old; i++)
		all[i] = tracking_prefix(c->session, i);
	if (w->n)
		memcpy(all + old, w->prefixes, w->n * sizeof(*all));
	bool clash = prefixes_clash(all, old, old + w->n, &one, &other);
	if (clash)
		reply_errorf(c->reply,
			     "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a "
			     "single client must not overlap.",
			     (int)all[one].n, all[one].p,
			     other < old ? "an existing" : "another provided", (int)all[other].n,
			     all[other].p);
	mem_free(all);
	return !clash;
}

static void tracking_on(struct call *c, const struct wish *w)
{
	const char *error = contradiction(c->session, w);
	if (error) {
		reply_error(c->reply, error);
		return;
	}
	if (w->options & TRACKING_BCAST && !prefixes_fit(c, w))
		return;
	if (tracking_enable(c->session, (uint64_t)w->redirect, w->options, w->prefixes, w->n))
		reply_ok(c->reply);
	else
		call_error(c, STORE_ENOMEM);
}

void client_tracking(struct call *c)
{
	struct wish w = {.prefixes = mem_try((size_t)c->argc / 2 * sizeof(struct bytes))};
	if (!w.prefixes) {
		call_error(c, STORE_ENOMEM);
		return;
	}
	if (!read_options(c, &w)) {
		mem_free(w.prefixes);
		return;
	}
	if (bytes_is(c->argv[2], "on")) {
		tracking_on(c, &w);
	} else if (bytes_is(c->argv[2], "off")) {
		tracking_disable(c->session);
		reply_ok(c->reply);
	} else {
		call_syntax_error(c);
	}
	mem_free(w.prefixes);
}

/* --- CACHING --- */

static void allow_caching(struct call *c, unsigned mode, const char *error)
{
	if (tracking_options(c->session) & mode) {
		c->session->flags |= SESSION_CACHING;
		reply_ok(c->reply);
	} else {
		reply_error(c->reply, error);
	}
}

void client_caching(struct call *c)
{
	if (!tracking_is_on(c->session))
		reply_error(c->reply,
			    "ERR CLIENT CACHING can be called only when the client is in tracking "
			    "mode with OPTIN or OPTOUT mode enabled");
	else if (bytes_is(c->argv[2], "yes"))
		allow_caching(c, TRACKING_OPTIN,
			      "ERR CLIENT CACHING YES is only valid when tracking is enabled in "
			      "OPTIN mode.");
	else if (bytes_is(c->argv[2], "no"))
		allow_caching(c, TRACKING_OPTOUT,
			      "ERR CLIENT CACHING NO is only valid when tracking is enabled in "
			      "OPTOUT mode.");
	else
		call_syntax_error(c);
}

/* --- asking --- */

void client_getredir(struct call *c)
{
	reply_int(c->reply, tracking_redirect(c->session));
}

static void reply_flags(struct call *c)
{
	const struct session *s = c->session;
	unsigned options = tracking_options(s);
	bool caching = s->flags & SESSION_CACHING;
	const struct {
		bool set;
		const char *word;
	} flags[] = {
		{true, tracking_is_on(s) ? "on" : "off"},
		{options & TRACKING_BCAST, "bcast"},
		{options & TRACKING_OPTIN, "optin"},
		{options & TRACKING_OPTIN && caching, "caching-yes"},
		{options & TRACKING_OPTOUT, "optout"},
		{options & TRACKING_OPTOUT && caching, "caching-no"},
		{options & TRACKING_NOLOOP, "noloop"},
		{options & TRACKING_BROKEN, "broken_redirect"},
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		n += flags[i].set;
	reply_set(c->reply, n);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (flags[i].set)
			reply_bulk_str(c->reply, flags[i].word);
}

void client_trackinginfo(struct call *c)
{
	const struct session *s = c->session;
	size_t n = tracking_prefixes(s);
	reply_map(c->reply, 3);
	reply_bulk_str(c->reply, "flags");
	reply_flags(c);
	reply_bulk_str(c->reply, "redirect");
	reply_int(c->reply, tracking_redirect(s));
	reply_bulk_str(c->reply, "prefixes");
	reply_array(c->reply, n);
	for (size_t i = 0; i < n; i++)
		reply_bulk(c->reply, tracking_prefix(s, i));
}
