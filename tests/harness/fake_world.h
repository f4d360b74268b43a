/* A stand-in for the API inside the process, over fake_transport: holds leads, answers as Instantly was seen to, and
 * misbehaves on order. With a clock_fake a minute of waiting takes no time. Addresses decide what happens to a lead:
 *
 *   blocked…  invalid…  incomplete…   left out, and counted under that counter
 *   poison…                           the whole request is refused (400) without saying whose fault it is
 *   named…                            the whole request is refused (400), and the message names the lead's index
 *   stays…                            no job moves it, and none says why
 *
 * A move is a job that ends job_ms after its request, done when a request could see it; until then both of its ends are
 * locked (409). job_mode says how the next jobs end. */
#ifndef TESTS_HARNESS_FAKE_WORLD_H
#define TESTS_HARNESS_FAKE_WORLD_H

#include "tests/harness/fake_transport.h"

#include <json-c/json.h>

#define WORLD_LIST "11111111-1111-4111-8111-111111111111"
#define WORLD_CAMPAIGN "22222222-2222-4222-8222-222222222222"
#define WORLD_ELSEWHERE "33333333-3333-4333-8333-333333333333"
#define WORLD_WORKSPACE "0a11ca3e-0000-4000-8000-00000000b0c5"

enum world_kind {
    WORLD_ADD,
    WORLD_READ,
    WORLD_PATCH,
    WORLD_MOVE,
    WORLD_DELETE,
    WORLD_JOBS,
    WORLD_JOB,
    WORLD_GET,
    WORLD_TARGET,
    WORLD_OTHER,
    WORLD_KIND_N
};

/* …_AFTER: the request is carried out, and then its answer goes wrong. */
enum world_fault {
    FAULT_NONE,
    FAULT_500,
    FAULT_500_AFTER,
    FAULT_LOST,
    FAULT_LOST_AFTER,
    FAULT_HANG,
    FAULT_HANG_AFTER, /* no answer until the client's own limit of 100 s; AFTER: it is done at once */
    FAULT_NOT_SENT,
    FAULT_GARBAGE_AFTER,
    FAULT_ERROR_KEY_AFTER,
    FAULT_NO_LIST_AFTER,
    FAULT_INDEX_TWICE_AFTER,
    FAULT_INDEX_FAR_AFTER,
    /* Lies of a good answer to leads/add. */
    FAULT_EMPTY_CREATED_AFTER,    /* created_leads names no lead */
    FAULT_HALF_CREATED_AFTER,     /* or half of the leads */
    FAULT_NAMELESS_OMITTED_AFTER, /* or those with an address only */
    FAULT_HALF_COUNTED_AFTER,     /* half of the leads are neither named nor counted */
    FAULT_SHIFTED_AFTER,          /* each index is the next lead's */
    FAULT_SAME_ID_AFTER,          /* all entries have the first one's id */
    FAULT_OLD_ID_AFTER,           /* they have the ids of the oldest leads */
    FAULT_NO_EMAIL_AFTER,         /* no entry has an address, which is true */
    FAULT_EMAIL_MISSING_AFTER,    /* the first entry has none */
    FAULT_400,
    FAULT_401,
    FAULT_404,
    FAULT_NO_ROUTE,
    FAULT_409,
    FAULT_413,
    FAULT_429,
    FAULT_EDGE,
    FAULT_IGNORED,   /* a PATCH or DELETE: 200 as if it were done, and nothing is; the answer has the old values */
    FAULT_ECHO,      /* a PATCH: the same, and the answer has the new values */
    FAULT_EMPTY,     /* leads/list: shows nothing */
    FAULT_LATE,      /* a PATCH, DELETE or move: no answer, and it is carried out late_ms later */
    FAULT_STATUS,    /* the status is in `room` */
    FAULT_ODD_WORDS, /* 400, each time with other words */
    FAULT_FULL,      /* 403 "Lead limit reached", with `room` */
    FAULT_N
};

/* How a move job goes. */
enum world_job_mode {
    WJOB_OK,
    WJOB_FAILED,
    WJOB_CANCELLED, /* half of the leads are moved */
    WJOB_ZERO,
    WJOB_HALF,     /* success, and nothing or half of them moved */
    WJOB_SILENT,   /* success, and it names no lead */
    WJOB_BOASTS,   /* success: names all, has moved half, and says so in its count */
    WJOB_LIES,     /* success: names and counts all, and moves none */
    WJOB_VANISHED, /* no list shows it, and it still moves */
    WJOB_UNLISTED, /* missing in lists, but there when asked for alone */
    WJOB_PAUSED,
    WJOB_DRAINING,
    WJOB_ODD,   /* three times as long, in that status for a while */
    WJOB_STUCK, /* never ends; job_mode WJOB_OK lets it go */
};

struct world_job {
    char id[32];
    enum world_job_mode mode;
    int64_t created_ms, due_ms;
    bool done, shown; /* shown: leads/list has it, too */
    int64_t total, moved;
    struct json_object *filters, *emails, *leads;
};

enum { WORLD_RULES_MAX = 16, WORLD_JOBS_MAX = 64 };
struct world {
    struct fake_transport t;
    struct clock_fake *clock;
    struct json_object *leads;  /* as leads/list shows them */
    struct json_object *bodies; /* answers, kept while they may be read */
    struct {
        enum world_kind kind;
        unsigned first, last; /* which requests of the kind, from 1 */
        enum world_fault fault;
        int room;
    } rules[WORLD_RULES_MAX];
    size_t rules_n;
    unsigned n[WORLD_KIND_N]; /* requests so far */
    unsigned leads_asked;     /* leads in all adds */
    unsigned last_asked;      /* leads in the last add */
    unsigned ids;
    unsigned refusals; /* FAULT_ODD_WORDS so far */
    int64_t lag_ms;    /* leads/list knows a lead this much later */
    int64_t skew_ms;   /* the server's clock runs ahead */
    struct world_job jobs[WORLD_JOBS_MAX];
    size_t jobs_n;
    enum world_job_mode job_mode; /* of the jobs that come */
    int64_t job_ms;               /* how long they take */
    struct json_object *ghosts;   /* deleted leads that leads/list still shows */
    int64_t ghost_ms;             /* for so long; 0: not at all */
    int64_t miscount;             /* what DELETE adds to its count */
    unsigned leads_deleted;       /* in all DELETEs */
    struct json_object *stale;    /* leads as they were before a PATCH, which leads/list still shows */
    int64_t stale_ms;             /* for so long; 0: not at all */
    struct {
        enum world_kind kind;
        int64_t due_ms;
        struct json_object *body;
        char id[64];
    } late[4]; /* writes that are still to be carried out */
    size_t late_n;
    int64_t late_ms;
    bool patch_merges;     /* a PATCH keeps the variables that it does not name */
    unsigned merges_until; /* with patch_merges: only the first N PATCHes since the last count; 0: all */
    size_t ids_max;        /* moves of more are a 400; 0: none */
    size_t body_max;       /* larger requests are a 413; 0: none */
    const char *workspace; /* NULL: the key may not read it */
    int stop_at;           /* a signal while the n-th request is under way; 0: never */
};

void world_init(struct world *w, struct clock_fake *clock);
void world_free(struct world *w);
/* Requests first … last of this kind (from 1) go wrong like this; counted from the last world_count(). */
void world_fault(struct world *w, enum world_kind kind, unsigned first, unsigned last, enum world_fault fault);
/* From now on the world knows no background job. */
void world_jobs_vanish(struct world *w);
/* Forgets rules and starts counting again. */
void world_count(struct world *w);
/* Adds a lead without a request; `target` is one of the ids above. */
void world_put(struct world *w, const char *target, const char *email, const char *first_name);
void world_delete(struct world *w, const char *email);
/* Sets a number of the lead, wherever it is. */
void world_set(struct world *w, const char *email, const char *name, int64_t value);
/* Exports it and imports it again: the same person under another id. */
void world_reimport(struct world *w, const char *email);
/* Gives the lead's id to another person, as an answer that names the wrong lead would. */
void world_exchange(struct world *w, const char *email, const char *other);
/* Moves it as another user would. */
void world_place(struct world *w, const char *email, const char *target);
size_t world_n(const struct world *w);
/* The lead of that address in the list or campaign; NULL when there is none. */
struct json_object *world_find(const struct world *w, const char *target, const char *email);
/* A member of the lead, or of its payload; "" when there is none. */
const char *world_value(const struct world *w, const char *target, const char *email, const char *name);
/* Leads beyond the first with the same target and the same address or leadsync_key. */
size_t world_doubles(const struct world *w);

#endif
