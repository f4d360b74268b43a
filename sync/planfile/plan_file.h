/* A saved plan: the decisions of a dry run in one file, to be read, approved and applied.
 *
 * The file is text, a JSON object per line: the head, each change and each left-out row in source order, the summary, and an end
 * with the plan's id. The id is the SHA-256 of all bytes before the last line, so anyone can check it. A writer makes the file whole
 * or not at all, with mode 0600. A reader checks the id first, and takes nothing of a file that does not match it. Both stream, so
 * memory does not grow with the plan. Knows the dry run's records (sync/report/diff.h); knows no source, state or API. */
#ifndef SYNC_PLANFILE_PLAN_FILE_H
#define SYNC_PLANFILE_PLAN_FILE_H

#include "sync/report/diff.h"

/* What a plan keeps beside the head, the records and the summary of its dry run. All borrowed. */
struct plan_origin {
    const char *const *words; /* the arguments by which `apply` finds mapping and state again; paths absolute */
    size_t words_n;
    bool remote, masked;
};

/* ---- writing ---- */

struct plan_write;
/* XS_IO: the file cannot be made. */
int plan_write_open(const char *path, const struct plan_origin *origin, struct plan_write **out, struct err *e);
/* For diff_options: sees the head, each decision and the summary. Borrowed until close. */
const struct diff_watch *plan_write_watch(struct plan_write *w);
/* After diff_finish(): the file appears. `id` gets the plan's id. */
int plan_write_commit(struct plan_write *w, char id[SHA256_HEX_N], struct err *e);
void plan_write_close(struct plan_write *w); /* without a commit nothing stays; NULL is fine */

/* ---- reading ---- */

bool plan_file_is(const char *path); /* by its name: *.plan */

struct plan_file;
/* Checks the id, and reads head and summary. XS_NO_SOURCE: the file cannot be read. XS_SOURCE: it is not a plan, it was cut or changed,
 * or a newer leadsync wrote it. */
int plan_file_open(const char *path, struct plan_file **out, struct err *e);
void plan_file_close(struct plan_file *p); /* NULL is fine */

/* Borrowed until close. */
const char *plan_file_id(const struct plan_file *p);
const struct diff_head *plan_file_head(const struct plan_file *p);
const struct diff_summary *plan_file_summary(const struct plan_file *p);
const struct diff_warnings *plan_file_warnings(const struct plan_file *p);
const struct plan_origin *plan_file_origin(const struct plan_file *p);

enum plan_record_kind { PLAN_CHANGE, PLAN_LEFT_OUT };
struct plan_record {
    enum plan_record_kind kind;
    struct diff_change change; /* PLAN_CHANGE */
    struct diff_left_out left_out;
    struct entry entry; /* of either; both point to it */
};
/* The next record: 1; 0 at the end, and from then on; -1 (XS_SOURCE). What `out` points to stays valid until the next call but one; its members
 * `change.entry` and `left_out.entry` point into `out` itself. */
int plan_file_next(struct plan_file *p, struct plan_record *out, struct err *e);
/* The next call returns the first record again. 0/-1 */
int plan_file_rewind(struct plan_file *p, struct err *e);

/* Hands all of the plan to `diff`, which is open and has seen nothing. */
int plan_file_show(struct plan_file *p, struct diff *diff, struct err *e);

#endif
