#include "config.h"

#include "sync/api/http/jitter.h"

enum { BLOCK_N = 256 }; /* answers; a permanently longer way is accepted after two blocks */

int64_t jitter_arrival_us(struct jitter *j, unsigned kind, int64_t left_us, int64_t answered_us)
{
    struct jitter_kind *k = &j->kinds[kind];
    int64_t took_us = answered_us - left_us, *fastest = k->fastest_us;
    if (took_us <= 0)
        return left_us;
    if (k->block_n++ == BLOCK_N) {
        fastest[1] = fastest[0];
        fastest[0] = 0;
        k->block_n = 1;
    }
    if (fastest[0] == 0 || took_us < fastest[0])
        fastest[0] = took_us;
    int64_t floor_us = fastest[1] != 0 && fastest[1] < fastest[0] ? fastest[1] : fastest[0];
    return left_us + took_us - floor_us;
}
