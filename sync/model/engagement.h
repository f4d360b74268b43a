/* What Instantly says of a lead beside its fields: status, engagement, verification. And the record that `pull` makes of it, as one
 * table of columns, which the CSV, the SQL table and the guide follow.
 *
 * Plain data. What the API has not said is empty, never 0. */
#ifndef SYNC_MODEL_ENGAGEMENT_H
#define SYNC_MODEL_ENGAGEMENT_H

#include "sync/base/arena.h"
#include "sync/base/hash.h"
#include "sync/base/str.h"
#include "sync/model/target.h"

#include <stdbool.h>
#include <stdint.h>

#define ENGAGEMENT_UNTOLD INT64_MIN

struct engagement {
    /* As the API numbers them, or ENGAGEMENT_UNTOLD, like all that follows. */
    int64_t status, interest, verification;
    int64_t opens, clicks, replies;
    int64_t contacted_ms, opened_ms, clicked_ms, replied_ms, updated_ms;
    int64_t stepped; /* 1: a step of the sequence was carried out */
};
void engagement_init(struct engagement *g); /* everything untold */

/* ENGAGEMENT_COLUMN(id, name, SQL type) */
#define ENGAGEMENT_COLUMNS(ENGAGEMENT_COLUMN) \
    ENGAGEMENT_COLUMN(KEY, "key", "text") \
    ENGAGEMENT_COLUMN(EMAIL, "email", "text") \
    ENGAGEMENT_COLUMN(LEAD_ID, "lead_id", "uuid") \
    ENGAGEMENT_COLUMN(TARGET, "target", "text") \
    ENGAGEMENT_COLUMN(TARGET_NAME, "target_name", "text") \
    ENGAGEMENT_COLUMN(STATUS, "status", "text") \
    ENGAGEMENT_COLUMN(STATUS_NUMBER, "status_number", "bigint") \
    ENGAGEMENT_COLUMN(INTEREST, "interest", "text") \
    ENGAGEMENT_COLUMN(INTEREST_NUMBER, "interest_number", "bigint") \
    ENGAGEMENT_COLUMN(CONTACTED, "contacted", "boolean") \
    ENGAGEMENT_COLUMN(CONTACTED_AT, "contacted_at", "timestamptz") \
    ENGAGEMENT_COLUMN(OPENED, "opened", "boolean") \
    ENGAGEMENT_COLUMN(OPENS, "opens", "bigint") \
    ENGAGEMENT_COLUMN(OPENED_AT, "opened_at", "timestamptz") \
    ENGAGEMENT_COLUMN(CLICKED, "clicked", "boolean") \
    ENGAGEMENT_COLUMN(CLICKS, "clicks", "bigint") \
    ENGAGEMENT_COLUMN(CLICKED_AT, "clicked_at", "timestamptz") \
    ENGAGEMENT_COLUMN(REPLIED, "replied", "boolean") \
    ENGAGEMENT_COLUMN(REPLIES, "replies", "bigint") \
    ENGAGEMENT_COLUMN(REPLIED_AT, "replied_at", "timestamptz") \
    ENGAGEMENT_COLUMN(BOUNCED, "bounced", "boolean") \
    ENGAGEMENT_COLUMN(UNSUBSCRIBED, "unsubscribed", "boolean") \
    ENGAGEMENT_COLUMN(VERIFICATION, "verification", "text") \
    ENGAGEMENT_COLUMN(VERIFICATION_NUMBER, "verification_number", "bigint") \
    ENGAGEMENT_COLUMN(LAST_CHANGE, "last_change", "timestamptz")

enum engagement_column {
#define ENGAGEMENT_ID(id, name, type) ENGAGEMENT_##id,
    ENGAGEMENT_COLUMNS(ENGAGEMENT_ID)
#undef ENGAGEMENT_ID
        ENGAGEMENT_COLUMN_N
};
struct engagement_column_row {
    struct str name;
    const char *sql_type;
};
extern const struct engagement_column_row engagement_column_table[ENGAGEMENT_COLUMN_N];

/* One lead of pull. */
struct engagement_lead {
    struct str key, email; /* empty: none */
    struct uuid id;
    const struct target *target; /* NULL: the lead is in no campaign and no list */
    struct engagement engagement;
    int remembered; /* the person's status in the state (enum lead_status); it is never lowered */
};
/* The record: a cell per column. A cell without `p` is empty. Cells borrow from the lead and from the arena. 0/-1 (memory) */
int engagement_cells(const struct engagement_lead *lead, struct arena *arena, struct str cells[ENGAGEMENT_COLUMN_N]);

#endif
