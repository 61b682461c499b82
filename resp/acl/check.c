/* resp/acl/check.c - whether a call is allowed. Part of acl.h. */
#include <stdio.h>
#include <strings.h>

#include "resp/acl/internal.h"
#include "resp/dispatch.h"
#include "resp/server.h"
#include "store/base/glob.h"
#include "store/base/mem.h"

/* --- keys and channels of a call --- */

#define FEW 64

/* Found when the first selector asks, and kept for the others. */
struct call_keys {
	int n; /* -1: not looked for */
	int *positions;
	uint32_t *flags;
	int few_positions[FEW];
	uint32_t few_flags[FEW];
};

static void keys_find(struct call_keys *k, const struct command *cmd, int argc,
		      const struct bytes *argv)
{
	/* No specification names an argument twice, and each has its own room. */
	int max = argc * COMMAND_KEY_SPECS;
	k->positions = k->few_positions;
	k->flags = k->few_flags;
	if (max > FEW) {
		k->positions = mem_alloc((size_t)max * sizeof(*k->positions));
		k->flags = mem_alloc((size_t)max * sizeof(*k->flags));
	}
	/* Arguments that make no sense name no keys: the command will say so itself. */
	k->n = command_keys(cmd, argc, argv, k->positions, k->flags, max);
	if (k->n < 0)
		k->n = 0;
}

static void keys_fini(struct call_keys *k)
{
	if (k->n < 0 || k->positions == k->few_positions)
		return;
	mem_free(k->positions);
	mem_free(k->flags);
}

/* --- one selector --- */

static bool command_allowed(const struct acl_selector *s, const struct registered *reg, int argc,
			    const struct bytes *argv)
{
	if (reg->cmd->flags & CMD_NO_AUTH || acl_bit(s, reg->id))
		return true;
	for (size_t i = 0; argc > 1 && i < s->nfirst_args; i++) {
		const char *word = s->first_args[i].word;
		if (s->first_args[i].command == reg->id && argv[1].n == strlen(word) &&
		    strncasecmp(argv[1].p, word, argv[1].n) == 0)
			return true;
	}
	return false;
}

static unsigned access_of(uint32_t key_flags)
{
	unsigned access = key_flags & KEY_ACCESS ? ACL_READ : 0;
	if (key_flags & (KEY_INSERT | KEY_DELETE | KEY_UPDATE))
		access |= ACL_WRITE;
	return access;
}

static bool key_allowed(const struct acl_selector *s, struct bytes key, unsigned access)
{
	for (size_t i = 0; i < s->keys.n; i++) {
		const struct acl_pattern *p = &s->keys.v[i];
		if ((p->access & access) == access && glob_match(bytes_of(p->p, p->n), key, false))
			return true;
	}
	return false;
}

static enum acl_verdict check_keys(const struct acl_selector *s, const struct command *cmd,
				   int argc, const struct bytes *argv, struct call_keys *keys,
				   int *arg)
{
	if (keys->n < 0)
		keys_find(keys, cmd, argc, argv);
	for (int i = 0; i < keys->n; i++) {
		int at = keys->positions[i];
		if (key_allowed(s, argv[at], access_of(keys->flags[i])))
			continue;
		*arg = at;
		return ACL_DENIED_KEY;
	}
	return ACL_ALLOWED;
}

bool acl_channel_listed(const struct acl_patterns *patterns, struct bytes channel, bool is_pattern)
{
	for (size_t i = 0; i < patterns->n; i++) {
		struct bytes p = bytes_of(patterns->v[i].p, patterns->v[i].n);
		if (is_pattern ? bytes_eq(p, channel) : glob_match(p, channel, false))
			return true;
	}
	return false;
}

static enum acl_verdict check_channels(const struct acl_selector *s, const struct command *cmd,
				       int argc, const struct bytes *argv, int *arg)
{
	int last = cmd->channels == CHANNELS_FIRST ? 2 : argc;
	for (int i = 1; i < last; i++) {
		if (acl_channel_listed(&s->channels, argv[i], cmd->channels == CHANNELS_PATTERNS))
			continue;
		*arg = i;
		return ACL_DENIED_CHANNEL;
	}
	return ACL_ALLOWED;
}

static enum acl_verdict check_selector(const struct acl_selector *s, const struct registered *reg,
				       int argc, const struct bytes *argv, struct call_keys *keys,
				       int *arg)
{
	const struct command *cmd = reg->cmd;
	enum acl_verdict verdict = ACL_ALLOWED;
	if (!command_allowed(s, reg, argc, argv))
		return ACL_DENIED_CMD;
	if (!s->all_keys && (cmd->keys[0].flags || cmd->getkeys))
		verdict = check_keys(s, cmd, argc, argv, keys, arg);
	if (!verdict && !s->all_channels && cmd->channels)
		verdict = check_channels(s, cmd, argc, argv, arg);
	return verdict;
}

/* --- all of them --- */

/* Of several refusals the one that came closest is told: a key rather than the command, a later argument rather than an earlier. */
enum acl_verdict acl_check(const struct acl_user *user, const struct registered *reg, int argc,
			   const struct bytes *argv, int *arg)
{
	struct call_keys keys = {.n = -1};
	enum acl_verdict worst = ACL_DENIED_CMD, verdict = ACL_ALLOWED;
	int at = 0;
	if (!user || user->unlimited)
		return ACL_ALLOWED;
	for (size_t i = 0; i < user->nselectors; i++) {
		int here = 0;
		verdict = check_selector(user->selectors[i], reg, argc, argv, &keys, &here);
		if (!verdict)
			break;
		if (verdict > worst || (verdict == worst && here > at)) {
			worst = verdict;
			at = here;
		}
	}
	keys_fini(&keys);
	if (!verdict)
		return ACL_ALLOWED;
	if (arg)
		*arg = at;
	return worst;
}

static bool reads_any_key(const struct acl_selector *s)
{
	bool all = s->all_keys;
	for (size_t i = 0; i < s->keys.n && !all; i++)
		all = s->keys.v[i].access & ACL_READ &&
		      glob_is_all(bytes_of(s->keys.v[i].p, s->keys.v[i].n));
	return all;
}

bool acl_reads_everything(const struct acl_user *user, const struct registered *reg, int argc,
			  const struct bytes *argv)
{
	struct call_keys keys = {.n = -1};
	bool found = !user || user->unlimited;
	for (size_t i = 0; !found && i < user->nselectors; i++) {
		const struct acl_selector *s = user->selectors[i];
		int at;
		found = reads_any_key(s) && !check_selector(s, reg, argc, argv, &keys, &at);
	}
	keys_fini(&keys);
	return found;
}

/* --- what is said --- */

void acl_sentence(enum acl_verdict why, const struct acl_user *user, const struct registered *reg,
		  struct bytes arg, bool verbose, char *buf, size_t n)
{
	const char *what = why == ACL_DENIED_KEY ? "key" : "channel";
	if (why == ACL_DENIED_CMD)
		snprintf(buf, n, "User %s has no permissions to run the '%s' command",
			 acl_name(user), reg->fullname);
	else if (verbose)
		snprintf(buf, n, "User %s has no permissions to access the '%.*s' %s",
			 acl_name(user), (int)arg.n, arg.p, what);
	else
		snprintf(buf, n, "No permissions to access a %s", what);
}

const char *acl_refusal(struct session *s, const struct registered *reg, int argc,
			const struct bytes *argv)
{
	static const char code[] = "NOPERM ";
	int arg = 0;
	enum acl_verdict verdict = acl_check(s->user, reg, argc, argv, &arg);
	char *text = s->server->acl->refusal;
	if (!verdict)
		return NULL;
	acl_denied(s, verdict, s->flags & SESSION_MULTI ? ACL_MULTI : ACL_TOPLEVEL, reg, argv, arg);
	memcpy(text, code, sizeof(code));
	acl_sentence(verdict, s->user, reg, argv[arg], false, text + sizeof(code) - 1,
		     sizeof(s->server->acl->refusal) - sizeof(code) + 1);
	return text;
}

const char *acl_refusal_in_exec(struct session *s, const struct registered *reg, int argc,
				const struct bytes *argv)
{
	static const char *const reasons[] = {
		[ACL_DENIED_CMD] = "no permission to execute the command or subcommand",
		[ACL_DENIED_KEY] = "no permission to touch the specified keys",
		[ACL_DENIED_AUTH] = "no permission",
		[ACL_DENIED_CHANNEL] = "no permission to access one of the channels used as "
				       "arguments to the command",
	};
	int arg = 0;
	enum acl_verdict verdict = acl_check(s->user, reg, argc, argv, &arg);
	char *text = s->server->acl->refusal;
	if (!verdict)
		return NULL;
	acl_denied(s, verdict, ACL_MULTI, reg, argv, arg);
	snprintf(text, sizeof(s->server->acl->refusal),
		 "NOPERM ACLs rules changed between the moment the transaction was accumulated and "
		 "the EXEC call. This command is no longer allowed for the following reason: %s",
		 reasons[verdict]);
	return text;
}
