/* Where leads go: a campaign or a list. */
#ifndef SYNC_MODEL_TARGET_H
#define SYNC_MODEL_TARGET_H

#include "sync/base/buf.h"
#include "sync/base/hash.h"

#include <stdbool.h>

enum target_kind { TARGET_CAMPAIGN, TARGET_LIST };

/* As the mapping says it: a name or a UUID. */
struct target_spec {
    enum target_kind kind;
    char *text; /* owned by the maker of the spec */
};

/* As the API knows it. */
struct target {
    enum target_kind kind;
    struct uuid id;
    char *name;          /* owned by the target table; NULL: not known (a UUID was given and nothing was asked) */
    int status;          /* campaigns: -99 … 4 as the API has it; TARGET_STATUS_UNKNOWN when not asked or a list */
    const char *sending; /* static sentence: why leads added now get no mail, or later; NULL: they do, or it is not known */
};
enum { TARGET_STATUS_UNKNOWN = 1000 };
/* As the API's documentation names them; it may learn others any day. */
enum campaign_status {
    CAMPAIGN_SUSPENDED = -99, /* the account is */
    CAMPAIGN_BOUNCE_PROTECT = -2,
    CAMPAIGN_UNHEALTHY = -1, /* all sending accounts are */
    CAMPAIGN_DRAFT = 0,
    CAMPAIGN_ACTIVE = 1,
    CAMPAIGN_PAUSED = 2,
    CAMPAIGN_COMPLETED = 3,
    CAMPAIGN_SUBSEQUENCES = 4, /* only its subsequences run */
};

const char *target_kind_text(enum target_kind kind);            /* "campaign", "list" */
bool target_eq(const struct target *a, const struct target *b); /* kind and id */
/* "campaign:UUID" as in results. */
enum { TARGET_TEXT_N = 64 };
const char *target_format(const struct target *t, char out[TARGET_TEXT_N]);
/* Appends `campaign "Demo"`, or `campaign UUID` if the name is unknown: for texts that people read; harmless to a
 * terminal. 0/-1 (memory) */
int target_show(const struct target *t, struct buf *out);
/* The `sending` of a campaign with this status, as far as a status says it. */
const char *campaign_status_sending(int status);
/* What a campaign status number means, "unknown (7)" style for new ones; static or written to out. */
const char *campaign_status_text(int status, char out[TARGET_TEXT_N]);

#endif
