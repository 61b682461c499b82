/* Rules of users: what they change, how they are shown, what they allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "resp/acl/acl.h"
#include "resp/acl/user.h"
#include "resp/dispatch.h"
#include "store/base/mem.h"
#include "store/base/rng.h"

struct world {
	struct registry *registry;
	struct acl_rules rules;
	struct acl_user *u;
};

static int setup(void **state)
{
	struct world *w = mem_calloc(sizeof(*w));

	w->registry = registry_new();
	w->rules = (struct acl_rules){w->registry, false};
	w->u = acl_user_new(BYTES("u"), &w->rules);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	acl_user_free(w->u);
	registry_free(w->registry);
	mem_free(w);
	return 0;
}

static enum acl_error rule(struct world *w, const char *text)
{
	enum acl_error err = acl_user_rule(w->u, &w->rules, bytes_str(text));

	acl_user_settle(w->u);
	return err;
}

/* All rules of @text, each good. */
static void rules(struct world *w, const char *text)
{
	struct words words;

	assert_true(words_split(bytes_str(text), &words));
	for (int i = 0; i < words.argc; i++)
		assert_int_equal(rule(w, words.argv[i]), ACL_OK);
	words_fini(&words);
}

static void shows(struct world *w, const char *want)
{
	struct text t = {0};

	acl_user_describe(w->u, &t);
	assert_string_equal(t.p, want);
	text_fini(&t);
}

static enum acl_verdict ask(struct world *w, const char *line, int *arg)
{
	struct words words;
	struct bytes argv[16];

	assert_true(words_split(bytes_str(line), &words));
	for (int i = 0; i < words.argc; i++)
		argv[i] = bytes_str(words.argv[i]);
	const struct registered *reg = registry_resolve(w->registry, words.argc, argv);
	assert_non_null(reg);
	enum acl_verdict verdict = acl_check(w->u, reg, words.argc, argv, arg);
	words_fini(&words);
	return verdict;
}

static void allowed(struct world *w, const char *line)
{
	assert_int_equal(ask(w, line, NULL), ACL_ALLOWED);
}

static void denied(struct world *w, const char *line, enum acl_verdict why, int arg)
{
	int at = 0;

	assert_int_equal(ask(w, line, &at), why);
	assert_int_equal(at, arg);
}

/* --- laws --- */

static void a_new_user_is_off_and_may_do_nothing(void **state)
{
	struct world *w = *state;

	shows(w, "off sanitize-payload resetchannels -@all");
	denied(w, "get a", ACL_DENIED_CMD, 0);
	denied(w, "ping", ACL_DENIED_CMD, 0);
	allowed(w, "auth x");
}

static void rules_are_shown_as_they_were_given(void **state)
{
	struct world *w = *state;

	rules(w, "on >p ~a %R~b %W~b %W~c &x &x +@read -GET +client|List \"(+set ~k allchannels)\" "
		 "\"( )\"");
	shows(w, "on sanitize-payload "
		 "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940 ~a ~b %W~c "
		 "resetchannels &x -@all +@read -get +client|list (~k &* -@all +set) "
		 "(resetchannels -@all)");
	rules(w, "reset nopass allkeys allchannels allcommands on");
	shows(w, "on nopass sanitize-payload ~* &* +@all");
	assert_true(w->u->unlimited);
	rules(w, "-flushall");
	assert_false(w->u->unlimited);
}

static void a_description_is_read_back_as_the_same_user(void **state)
{
	struct world *w = *state;
	struct text first = {0};
	size_t n, bad;

	rules(w, "on #aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa %RW~* ~b* "
		 "&c +@all -@slow "
		 "+config|get +select|1 \"(%R~x -@all +get)\"");
	acl_user_describe(w->u, &first);
	struct words words;
	struct bytes argv[32];
	assert_true(words_split(bytes_str(first.p), &words));
	for (int i = 0; i < words.argc; i++)
		argv[i] = bytes_str(words.argv[i]);
	rules(w, "reset");
	struct text *merged = acl_merge_selectors(argv, (size_t)words.argc, &n, &bad);
	assert_non_null(merged);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rule(w, merged[i].p), ACL_OK);
	shows(w, first.p);
	acl_merged_free(merged, n);
	words_fini(&words);
	text_fini(&first);
}

static void what_makes_no_sense_is_refused_by_its_reason(void **state)
{
	static const struct {
		const char *text;
		enum acl_error err;
	} bad[] = {
		{"junk", ACL_ESYNTAX},
		{"+nosuch", ACL_EUNKNOWN},
		{"-nosuch", ACL_EUNKNOWN},
		{"+@nosuch", ACL_EUNKNOWN},
		{"+@", ACL_EUNKNOWN},
		{"+", ACL_EUNKNOWN},
		{"+client|", ACL_ESYNTAX},
		{"+client|nosuch", ACL_EUNKNOWN},
		{"-get|x", ACL_EUNKNOWN},
		{"+get|a|b", ACL_EUNKNOWN},
		{"+config|get|x", ACL_EFIRSTARG},
		{"%~a", ACL_ESYNTAX},
		{"%X~a", ACL_ESYNTAX},
		{"%RR~a", ACL_ESYNTAX},
		{"%R", ACL_ESYNTAX},
		{"~a b", ACL_ESYNTAX},
		{"&a\tb", ACL_ESYNTAX},
		{"<x", ACL_EPASSWORD},
		{"#zz", ACL_EHASH},
		{"!zz", ACL_EHASH},
		{"(on)", ACL_ESYNTAX},
		{"(+nosuch)", ACL_EUNKNOWN},
		{"(", ACL_ESYNTAX},
		{")", ACL_ESYNTAX},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(rule(w, bad[i].text), bad[i].err);
	shows(w, "off sanitize-payload resetchannels -@all");
	rules(w, "~* &*");
	assert_int_equal(rule(w, "~a"), ACL_EALLKEYS);
	assert_int_equal(rule(w, "&a"), ACL_EALLCHANNELS);
}

static void one_selector_has_to_allow_all_of_a_call(void **state)
{
	struct world *w = *state;

	rules(w, "+get ~a* \"(+@write %W~b* %R~c*)\"");
	allowed(w, "get a1");
	allowed(w, "set b1 x");
	allowed(w, "copy c1 b1");
	denied(w, "set b1 x get", ACL_DENIED_KEY, 1);
	denied(w, "copy a1 b1", ACL_DENIED_KEY, 1);
	denied(w, "copy c1 a1", ACL_DENIED_KEY, 2);
	denied(w, "get b1", ACL_DENIED_KEY, 1);
	denied(w, "ping", ACL_DENIED_CMD, 0);
	denied(w, "mset b1 x a1 y", ACL_DENIED_KEY, 3);
}

static void channels_match_and_patterns_are_the_same(void **state)
{
	struct world *w = *state;

	rules(w, "+@all &news.*");
	allowed(w, "publish news.a x");
	allowed(w, "subscribe news.a news.b");
	allowed(w, "psubscribe news.*");
	allowed(w, "unsubscribe other");
	denied(w, "subscribe news.a other", ACL_DENIED_CHANNEL, 2);
	denied(w, "psubscribe news.a*", ACL_DENIED_CHANNEL, 1);
	denied(w, "spublish other x", ACL_DENIED_CHANNEL, 1);
}

static void a_first_argument_is_allowed_alone(void **state)
{
	struct world *w = *state;

	rules(w, "+select|0 +echo|A");
	allowed(w, "select 0");
	allowed(w, "echo a");
	denied(w, "select 1", ACL_DENIED_CMD, 0);
	rules(w, "-select");
	denied(w, "select 0", ACL_DENIED_CMD, 0);
}

static void no_password_but_its_own_is_right(void **state)
{
	struct world *w = *state;

	assert_false(acl_user_password(w->u, BYTES("")));
	rules(w, ">one >two");
	assert_true(acl_user_password(w->u, BYTES("one")));
	assert_true(acl_user_password(w->u, BYTES("two")));
	assert_false(acl_user_password(w->u, BYTES("one\0")));
	assert_false(acl_user_password(w->u, BYTES("")));
	rules(w, "<one");
	assert_false(acl_user_password(w->u, BYTES("one")));
	rules(w, "nopass");
	assert_true(acl_user_password(w->u, BYTES("anything")));
	rules(w, "resetpass");
	assert_false(acl_user_password(w->u, BYTES("two")));
}

/* Whatever the bytes: an answer, and a copy that is shown alike. */
static void hostile_rules_do_no_harm(void **state)
{
	static const char *const heads[] = {"+", "-", "+@", "~", "%RW~", "&",
					    "(", ">", "<",  "#", "!",    ""};
	static const char alphabet[] = "()+-@~%&|RWget set* \"'\\\xff\x01";
	struct world *w = *state;
	uint64_t seed = (uint64_t)time(NULL);
	struct rng rng;
	char buf[64];

	print_message("seed %llu\n", (unsigned long long)seed);
	rng_seed(&rng, seed);
	for (int i = 0; i < 20000; i++) {
		const char *head = heads[rng_below(&rng, sizeof(heads) / sizeof(heads[0]))];
		size_t n = strlen(head), more = rng_below(&rng, 12);
		memcpy(buf, head, n);
		for (size_t j = 0; j < more; j++)
			buf[n++] = alphabet[rng_below(&rng, sizeof(alphabet))];
		if (head[0] == '(')
			buf[n++] = ')';
		acl_user_rule(w->u, &w->rules, bytes_of(buf, n));
		if (i % 500 == 499)
			rules(w, "reset");
		if (i % 50)
			continue;
		struct acl_user *copy = acl_user_copy(w->u);
		struct text a = {0}, b = {0};
		acl_user_describe(w->u, &a);
		acl_user_describe(copy, &b);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.p, b.p, a.n);
		text_fini(&a);
		text_fini(&b);
		acl_user_swap(w->u, copy);
		acl_user_free(copy);
	}
}

#define LAW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(a_new_user_is_off_and_may_do_nothing),
		LAW(rules_are_shown_as_they_were_given),
		LAW(a_description_is_read_back_as_the_same_user),
		LAW(what_makes_no_sense_is_refused_by_its_reason),
		LAW(one_selector_has_to_allow_all_of_a_call),
		LAW(channels_match_and_patterns_are_the_same),
		LAW(a_first_argument_is_allowed_alone),
		LAW(no_password_but_its_own_is_right),
		LAW(hostile_rules_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
