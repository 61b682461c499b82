/* store/keyspace/access.c - when and how often a key was used, in 24 bits of its entry.
 *
 * Under LRU they are the seconds of a clock that wraps after 194 days. Under LFU they are 16 bits of minutes, when the
 * counter was last looked at, and an 8-bit counter that grows with the logarithm of the uses and decays with time,
 * as Redis describes it (https://redis.io/docs/latest/develop/reference/eviction/#lfu-eviction).
 */
#include "store/base/bgfree.h"
#include "store/keyspace/internal.h"

#define LRU_MAX   0xffffffu
#define LFU_FRESH 5 /* a new key gets a chance to be used before it goes */

void keyspace_set_now(struct keyspace *ks, int64_t now_ms)
{
	bgfree_poll();
	ks->now_ms = now_ms;
	ks->lru_clock = ks->policy.lfu ? (uint32_t)(now_ms / 60000 & 0xffff) << 8
				       : (uint32_t)(now_ms / 1000) & LRU_MAX;
}

uint32_t access_fresh(const struct keyspace *ks)
{
	return ks->policy.lfu ? ks->lru_clock | LFU_FRESH : ks->lru_clock;
}

uint8_t keyspace_freq(const struct keyspace *ks, uint64_t w)
{
	uint32_t bits = entry_lru(w), counter = bits & 255;
	uint32_t minutes = ((ks->lru_clock >> 8) - (bits >> 8)) & 0xffff;
	uint32_t decay = ks->policy.lfu_decay_time ? minutes / ks->policy.lfu_decay_time : 0;
	return (uint8_t)(counter > decay ? counter - decay : 0);
}

uint32_t keyspace_idle_seconds(const struct keyspace *ks, uint64_t w)
{
	return (ks->lru_clock - entry_lru(w)) & LRU_MAX;
}

static uint8_t counted(struct keyspace *ks, uint8_t counter)
{
	if (counter == 255)
		return counter;
	double above = counter > LFU_FRESH ? counter - LFU_FRESH : 0;
	bool up = rng_unit(&ks->rng) < 1.0 / (above * ks->policy.lfu_log_factor + 1);
	return (uint8_t)(counter + up);
}

void access_touch(struct keyspace *ks, uint64_t w)
{
	uint32_t bits = ks->lru_clock;
	if (ks->policy.lfu)
		bits |= counted(ks, keyspace_freq(ks, w));
	/* Most uses of a hot key fall into the same second: its line need not be written. */
	if (bits != entry_lru(w))
		entry_set_lru(w, bits);
}

void keyspace_set_idle(struct keyspace *ks, uint64_t w, uint64_t seconds)
{
	if (!ks->policy.lfu)
		entry_set_lru(w, (ks->lru_clock - (uint32_t)(seconds & LRU_MAX)) & LRU_MAX);
}

void keyspace_set_freq(struct keyspace *ks, uint64_t w, uint8_t counter)
{
	if (ks->policy.lfu)
		entry_set_lru(w, (ks->lru_clock & ~255u) | counter);
}
