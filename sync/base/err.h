/* Errors: one status for the shell, one message for the person.
 *
 * Every fallible function returns 0 or -1 (iterators 1, 0 or -1) and takes `struct err *` last. The lowest message is
 * kept: a second err_set() on a set error changes nothing. A caller adds what it alone knows with err_context(), once.
 * Messages are lower case, name the thing, and end in what to do. */
#ifndef SYNC_BASE_ERR_H
#define SYNC_BASE_ERR_H

#include <stdarg.h>

/* Process exit statuses; the table of their meanings is in err.c and is what `--help` and the man page print. */
enum exit_status {
    XS_DONE = 0,
    XS_LEFT_OVER = 1,  /* finished, but rows were rejected, failed or deferred, or work is still open */
    XS_CHANGES = 2,    /* diff --exit-code: there are changes */
    XS_GUARD = 3,      /* a guard stopped the run */
    XS_USAGE = 64,     /* unknown command or option, bad option value */
    XS_SOURCE = 65,    /* source unusable: its bytes */
    XS_NO_SOURCE = 66, /* source unavailable */
    XS_API = 69,       /* API unreachable, refused at its edge, or kept failing */
    XS_INTERNAL = 70,  /* the sum does not close, or another internal error */
    XS_STATE = 73,     /* state or output unusable */
    XS_IO = 74,        /* disk full or I/O error */
    XS_LOCKED = 75,    /* another run of this sync holds the lock */
    XS_KEY = 77,       /* no key, key refused, scope missing, plan unpaid */
    XS_CONFIG = 78,    /* mapping missing or wrong, target unknown */
    XS_SIGINT = 130,
    XS_SIGTERM = 143,
};

struct err {
    enum exit_status status; /* XS_DONE: no error */
    char *msg;               /* owned unless it is the static out-of-memory text; NULL when status is XS_DONE */
};

#define ERR_INIT \
    { \
        XS_DONE, 0 \
    }

/* Sets the error unless one is set already. Returns -1 always, so that `return err_set(...)` reads well. */
int err_set(struct err *e, enum exit_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, enum exit_status status, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* Sets "out of memory" (XS_INTERNAL) without allocating. Returns -1. */
int err_oom(struct err *e);

/* Puts "<fmt>: " before the message. Keeps the message as it is when memory is short. Returns -1. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "WHAT: strerror(errnum)", XS_IO for ENOSPC, EDQUOT, EIO, EROFS and EFBIG, else `status`. Returns -1. */
int err_errno(struct err *e, enum exit_status status, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* strerror(), with what helps where its words do not. */
const char *err_io_text(int errnum);

/* The message, or "" when there is none. Borrowed until the next call on `e`. */
const char *err_text(const struct err *e);

/* Hands the error of `from` over to `e`, unless `e` has one already; `from` has none afterwards. Returns -1. */
int err_take(struct err *e, struct err *from);

/* The same, and `from` keeps its error. Returns -1. */
int err_copy(struct err *e, const struct err *from);

/* Frees the message and resets. */
void err_clear(struct err *e);

/* One line of the exit-status table; ends with a NULL text. */
struct exit_status_row {
    enum exit_status status;
    const char *text;
};
extern const struct exit_status_row exit_status_table[];

#endif
