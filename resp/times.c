#include "resp/times.h"

#include "store/base/mem.h"

/* Where @id stands, or is to stand. */
static size_t find(const struct times *t, uint64_t id)
{
	size_t at = id & (t->size - 1);

	while (t->slots[at].id && t->slots[at].id != id)
		at = (at + 1) & (t->size - 1);
	return at;
}

static bool grow(struct times *t)
{
	struct times more = {.size = t->size ? t->size * 2 : 64};

	more.slots = mem_try(more.size * sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < more.size; i++)
		more.slots[i] = (struct time_slot){0};
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].id)
			more.slots[find(&more, t->slots[i].id)] = t->slots[i];
	more.n = t->n;
	mem_free(t->slots);
	*t = more;
	return true;
}

bool times_put(struct times *t, uint64_t id, int64_t ns)
{
	id += !id;
	if (t->n * 4 >= t->size * 3 && (t->n >= TIMES_MAX || !grow(t)))
		return false;
	struct time_slot *s = &t->slots[find(t, id)];
	t->n += !s->id;
	*s = (struct time_slot){id, ns};
	return true;
}

bool times_get(const struct times *t, uint64_t id, int64_t *ns)
{
	id += !id;
	if (!t->n)
		return false;
	const struct time_slot *s = &t->slots[find(t, id)];
	*ns = s->ns;
	return s->id;
}

/* Those behind it that it pushed on move up. */
void times_drop(struct times *t, uint64_t id)
{
	size_t mask = t->size - 1;

	id += !id;
	size_t gap = t->n ? find(t, id) : 0;
	if (!t->n || !t->slots[gap].id)
		return;
	for (size_t at = (gap + 1) & mask; t->slots[at].id; at = (at + 1) & mask) {
		if (((at - (t->slots[at].id & mask)) & mask) >= ((at - gap) & mask)) {
			t->slots[gap] = t->slots[at];
			gap = at;
		}
	}
	t->slots[gap].id = 0;
	if (--t->n == 0)
		times_clear(t);
}

void times_clear(struct times *t)
{
	mem_free(t->slots);
	*t = (struct times){0};
}
