/* The two tables of batch.h, as functions. */
#include "config.h"

#include "sync/upload/batch.h"

#define ROW(state, next) #state,
static const char *const life_names[] = {BATCH_LIFE_TABLE(ROW)};
static const char *const entry_names[] = {ENTRY_STATE_TABLE(ROW)};
#undef ROW

#define ROW(state, next) next,
static const unsigned life_next[] = {BATCH_LIFE_TABLE(ROW)};
static const unsigned entry_next[] = {ENTRY_STATE_TABLE(ROW)};
#undef ROW

const char *batch_life_text(enum batch_life life)
{
    return life_names[life];
}

bool batch_life_may(enum batch_life from, enum batch_life to)
{
    return (life_next[from] & 1U << to) != 0;
}

const char *entry_state_text(enum entry_state state)
{
    return entry_names[state];
}

bool entry_state_may(enum entry_state from, enum entry_state to)
{
    return (entry_next[from] & 1U << to) != 0;
}
