/* What the formats of the diff share. A format says how the record of each event is written, and whether records wait until the
 * end. Only diff.c writes, counts and owns the files. */
#ifndef SYNC_REPORT_DIFF_FORMAT_H
#define SYNC_REPORT_DIFF_FORMAT_H

#include "sync/base/jsonw.h"
#include "sync/model/match.h"
#include "sync/report/diff.h"
#include "sync/report/record.h"

/* A kind of change as it is shown: the operations, and a create or removal that is half of a rekey. */
enum diff_kind { DIFF_KIND_CREATE, DIFF_KIND_UPDATE, DIFF_KIND_MOVE, DIFF_KIND_REMOVE, DIFF_KIND_REKEY, DIFF_KIND_N };

/* A list of records, which append to d->record. Records that are printed at the end wait in a file: it is unlinked, has mode
 * 0600, and is created when it is first needed. */
struct diff_list {
    struct record_writer records;
    FILE *f;
};

/* How many changes of a kind go into, stay in or leave a target; `target` and `from` as in struct diff_change. */
struct diff_flow {
    enum diff_kind kind;
    struct target *target, *from; /* owned; may be NULL */
    uint64_t n;
};
struct diff_flows {
    struct diff_flow *v; /* in the order in which they are met */
    size_t n, last;
};

struct diff_format_ops;
struct diff {
    struct diff_options options;
    const struct diff_format_ops *ops;
    struct diff_head head; /* borrowed, see struct diff_head */
    struct buf record;     /* the bytes of the event under way */
    struct diff_list changes, left_out, rejects, waiting, payloads;
    uint64_t changes_n, kinds[DIFF_KIND_N], left_out_n; /* of those that are shown */
    uint64_t waiting_n;                                 /* of those that are shown */
    uint64_t hidden_n;                                  /* changes that are not shown */
    struct diff_flows flows;                            /* of all changes */
    struct match match;
    struct {
        unsigned char secret[HASH_SECRET_N];
        struct arena arena; /* of the event under way */
        struct entry entry; /* the copies that formats see */
        struct lead leads[2];
        struct diff_warnings warnings; /* owned: the list, not its texts */
    } masked;                          /* with options.mask; see diff_mask.c */
    struct diff_html *html;            /* of diff_html.c alone */
    size_t unflushed;
    bool begun, finished;
};

struct diff_format_ops {
    enum record_format format;
    const struct record_layout *changes, *left_outs; /* NULL: without such records */
    bool waits;                                      /* all changes wait, because the guards are printed before them */
    /* Before the first event, and at the end, also after a failure. Both may be NULL. 0/-1 (memory) */
    int (*open)(struct diff *d);
    void (*close)(struct diff *d);
    bool rejects; /* the rejected rows of left_out also stand in a list of their own */
    /* Both append the records of an event, if it is shown at all. 0/-1 (memory) */
    int (*change)(struct diff *d, struct record_writer *w, const struct diff_change *change);
    int (*left_out)(struct diff *d, struct record_writer *w, const struct diff_left_out *left_out);
    int (*payload)(struct diff *d, struct record_writer *w, const struct diff_payload *payload); /* NULL: not shown */
    /* The same for a lead that waits; NULL: only their number is shown. */
    int (*waiting)(struct diff *d, struct record_writer *w, const struct diff_change *waits);
    /* Both let diff_write() or diff_keep() take what they append to d->record. 0/-1. head: NULL if there is none */
    int (*head)(struct diff *d, struct err *e);
    int (*finish)(struct diff *d, const struct diff_summary *summary, struct err *e);
};
extern const struct diff_format_ops diff_format_text, diff_format_json, diff_format_ndjson, diff_format_csv,
    diff_format_html;

/* Takes what is in d->record to the output, or into a file for later. */
int diff_write(struct diff *d, struct err *e);
int diff_keep(struct diff *d, struct diff_list *list, struct err *e);
/* Copies what was kept to the output. */
int diff_pour(struct diff *d, struct diff_list *list, struct err *e);

/* Requests about leads, at least. */
uint64_t diff_requests_least(const struct diff_summary *s);

enum diff_kind diff_kind_of(const struct diff_change *change);
const char *diff_kind_text(enum diff_kind kind);

/* One written field of a change, with its values; VALUE_ABSENT is "not known" or, of a create, "nothing". */
struct diff_field {
    struct str name;
    bool custom;
    struct value old_value, new_value;
};
/* The fields of a change in lead order, core fields first: 1 with the next one, 0 at the end. Start with *at 0. A
 * create has every field that the lead has. */
int diff_field_next(const struct diff_change *change, size_t *at, struct diff_field *out);
#define DIFF_CUSTOM "custom_variables."
/* Appends the name as JSON and CSV have it: "custom_variables.seats". 0/-1 */
int diff_field_name(const struct diff_field *field, struct buf *out);

/* ---- diff_record.c: the records of JSON and NDJSON ---- */
extern const struct record_layout diff_record_changes, diff_record_changes_remote, diff_record_left_outs;
int diff_record_change(struct diff *d, struct record_writer *w, const struct diff_change *change);
int diff_record_left_out(struct diff *d, struct record_writer *w, const struct diff_left_out *left_out);
int diff_record_waiting(struct diff *d, struct record_writer *w, const struct diff_change *waits);
extern const struct record_layout diff_record_payloads;
int diff_record_payload(struct diff *d, struct record_writer *w, const struct diff_payload *payload);
#define DIFF_WAITING "waiting"
/* Appends "Ann Lee" of the lead of a change, as far as it is known. 0/-1 */
int diff_person(const struct diff_change *change, struct buf *out);
/* The address, which is not always the key; empty: not known. */
struct str diff_address(const struct diff_change *change);
void diff_json_target(struct jsonw *w, const struct target *target); /* the members of its object */

/* ---- diff_mask.c: what the events are replaced by; 0/-1 (memory) ---- */
int diff_mask_head(struct diff *d, struct err *e); /* call first */
int diff_mask_change(struct diff *d, struct diff_change *change);
int diff_mask_left_out(struct diff *d, struct diff_left_out *left_out);
int diff_mask_warnings(struct diff *d);
void diff_mask_free(struct diff *d); /* safe if nothing was masked */

/* ---- diff_flow.c ---- */
int diff_flow_count(struct diff_flows *flows, const struct diff_change *change); /* 0/-1 (memory) */
void diff_flows_free(struct diff_flows *flows);

/* ---- diff_match.c ---- */
/* The next word of a set of DIFF_SHOW_…; NULL: no other. Start with *at 0. */
const char *diff_show_next(unsigned show, size_t *at);
/* Is it to be shown? 1/0/-1 (memory) */
int diff_match_change(struct diff *d, const struct diff_change *change);
int diff_match_waiting(struct diff *d, const struct diff_change *waits);
int diff_match_left_out(struct diff *d, const struct diff_left_out *left_out);

#endif
