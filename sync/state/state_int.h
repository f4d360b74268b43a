/* What the files of this room share: the state itself and its journal. Not for other rooms. */
#ifndef SYNC_STATE_STATE_INT_H
#define SYNC_STATE_STATE_INT_H

#include "sync/base/buf.h"
#include "sync/state/db/db.h"
#include "sync/state/db/bulk_insert.h"
#include "sync/state/forget_list.h"
#include "sync/state/state.h"

/* BATCH_DONE in the text of a statement. */
#define SQL_BATCH_DONE "5"
_Static_assert(BATCH_DONE == 5, "SQL_BATCH_DONE");

enum {
    STATE_ID_N = 16,
    BLOB_BYTES_MAX = 512 << 20, /* of one packed batch; SQLite itself stops at 1 GB */
};

/* The row of table `identity`. */
struct identity {
    unsigned char state_id[STATE_ID_N];
    unsigned char secret[HASH_SECRET_N];
    char *sync, *api_host; /* owned; NULL: not set yet */
    bool hashed;
    uint64_t next_batch, next_lead, next_retry;
    uint64_t leads_n, refusals_n, retries_n, forgotten_n;
    uint64_t absent_n;   /* of the leads: removed or gone there; in the settings, for it came after the table */
    bool absent_counted; /* else absent_n is not known: the state was written by an older leadsync */
    bool journal_noted;  /* the main file says that there is a journal */
};

struct journal {
    struct db db;
    bool open;
    bool may_be_lost; /* the caller goes on without a journal that is missing */
    bool lost;        /* and it is */
    bool failed;      /* an event was written in part and rolled back, with all of its group: nothing more is taken */
    uint64_t next_batch;
    /* Entries that never were in a batch, until there are enough of them or someone commits. */
    struct buf loose_intents, loose_outcomes;
    size_t loose_n;
    uint64_t loose_run, loose_first_row;
    struct buf pack; /* scratch */
};

/* The lists of forgotten people that this state obeys. */
struct lists {
    bool open;
    struct forget_list list[STATE_LISTS_MAX];
    char *folders[STATE_LISTS_MAX]; /* owned */
    size_t n, folders_n;
    char *workspace; /* owned; NULL: not known, so that every list of the host counts */
    int64_t looked_us;
};

struct lookup;
struct lead_ids;
struct state {
    char *path, *journal_path, *lock_path; /* owned */
    enum state_access access;
    bool hashed;
    size_t memory_max;
    struct clock *clock;
    int lock_fd;               /* the sync's lock, held; -1 */
    struct state_claim *claim; /* borrowed: holds the lock for state_lock(); NULL */
    int guard_fd;              /* shared lock of a reader on the journal's existence; -1 */
    struct db main;
    struct bulk_insert feed; /* of the main file's virtual table */
    struct journal journal;
    struct identity id;
    /* As the run at hand found it, so that a run which changes nothing can leave the serial number alone. */
    struct {
        uint64_t run, serial, leads_n, retries_n, absent_n;
        bool wrote; /* a batch was begun or settled since, or a lead changed */
    } before;
    size_t pending_n;
    int64_t pending_since_us;
    bool people_counted, people_any; /* is the status of any person known? Asked when it first matters after a merge */
    char *setting;                   /* owned; last one handed out by state_get() */
    struct lookup *lookup;           /* owned; NULL before state_lookup_start() */
    struct lists lists;
    struct lead_ids *ids; /* owned; NULL before state_id_owner(), and after a merge */
};

/* ---- open.c ---- */
/* Opens the transaction of the main file. XS_INTERNAL when the state may not be written or is not locked. */
int state_write_begin(struct state *s, struct err *e);
/* Counts an event for state_pending(). */
void state_touch(struct state *s);
/* Stores the counters of s->id, under the next serial number; inside a transaction. */
int identity_store(struct state *s, struct err *e);
int identity_load(struct state *s, struct err *e);
/* Counts what an older leadsync did not: reads all leads, and only then. */
int identity_count_absent(struct state *s, struct err *e);

/* ---- facts.c ---- */
/* Takes the state to its next serial number, see state_serial(); inside a transaction. */
int serial_next(struct state *s, struct err *e);
/* Takes it back to the number that a run found, if nothing has changed since. */
int serial_restore(struct state *s, uint64_t serial, struct err *e);

/* ---- forgotten.c ---- */
void lists_close(struct state *s);

/* ---- ids.c ---- */
void lead_ids_free(struct state *s);

/* ---- create.c ---- */
/* Makes a state file whole or not at all. 0 also when another process was faster. */
int state_create(const struct state_options *o, const char *host, struct err *e);

/* ---- lock.c ---- */
/* A reader's hold on the journal: while one is held the writer empties the journal instead of removing it. */
int lock_guard_share(struct state *s, struct err *e);
/* No process reads the journal now, nor can begin to until lock_guard_free(). 1 yes, 0 a process reads it, -1. */
int lock_guard_take(struct state *s, struct err *e);
void lock_guard_free(struct state *s);
/* Is some run of this sync, maybe this one, alive? When in doubt, yes. */
bool lock_is_held(const struct state *s);
/* SQLite was busy: if that is because of a run that holds the sync's lock, says so and which. */
void lock_name_holder(const struct state *s, struct err *e);

/* ---- journal.c ---- */
/* Opens the journal: for STATE_WRITE made when missing if `make`; for STATE_READ only if there. 1 open, 0 there is
 * none. */
int journal_open(struct state *s, bool make, struct err *e);
void journal_close(struct state *s);
/* Has a write failed since the state was opened? Then no commit is allowed: XS_STATE. */
bool journal_failed(const struct state *s, struct err *e);
int journal_flush_loose(struct state *s, struct err *e);

/* ---- journal_note.c ---- */
/* The setting by which the main file knows that it has a journal. */
#define JOURNAL_NOTE "journal_open"
/* Notes the journal, which is open, in the main file itself and not only in its WAL: a file that is moved without what
 * stands beside it must know. Durable at return, with all that the main file's transaction holds; nothing when it is
 * noted already. Before the first event of a journal. */
int journal_note(struct state *s, struct err *e);
/* Takes the note back, durably; when all of the journal is merged, and before its files go. Nothing may be uncommitted. */
int journal_unnote(struct state *s, struct err *e);
/* After journal_open(): XS_STATE when the journal is noted and missing, with what to do. */
int journal_check(struct state *s, struct err *e);

/* ---- journal_pair.c ---- */
/* After journal_open() and identity_load(): XS_STATE when the journal is of another copy of the state, with what to do. */
int journal_pair_check(struct state *s, struct err *e);

/* ---- wal_pair.c ---- */
/* XS_STATE when the WAL beside the main file is of another copy of the state. Nothing while another process holds the lock. */
int wal_pair_check(struct state *s, struct err *e);
/* At the start of a run, in its transaction: the cookie that distinguishes its WAL from those of other runs. */
int wal_pair_next(struct state *s, struct err *e);
/* After that transaction: copies the cookie into the main file, and notes that the main file has it. */
int wal_pair_note(struct state *s, struct err *e);

/* ---- journal_read.c ---- */
struct journal_batch {
    struct batch b;
    const uint32_t *targets; /* of each entry, for batches of OP_NONE; else NULL */
};
enum journal_part { JOURNAL_SETTLED, JOURNAL_OPEN, JOURNAL_ALL };
/* The first batch after `after` of that part: 1/0/-1. Entries are in the arena, their strings and the batch's borrow
 * from SQLite until the next call. Settled batches that are merged already are left out. */
int journal_next(struct state *s, enum journal_part part, uint64_t after, struct arena *arena, struct journal_batch *out,
                 struct err *e);
/* One batch by id: 1/0/-1. */
int journal_get(struct state *s, uint64_t id, struct arena *arena, struct journal_batch *out, struct err *e);
uint32_t journal_entry_target(const struct journal_batch *b, size_t i);
/* Is this batch merged? 1/0/-1. */
int batch_merged(struct state *s, uint64_t id, struct err *e);
/* Takes merged batches out; removes the files when nothing is left. Nothing may be uncommitted. */
int journal_empty(struct state *s, struct err *e);

/* ---- memory ---- */
enum { ARENA_BATCH_MAX = 1 << 30 };

#endif
