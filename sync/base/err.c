/* Errors never abort and never need memory to be reported: when there is none for a message, a static text stands in.
 * Nothing here prints: who prints is decided on the top floor. */
#include "config.h"

#include "sync/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not const, because struct err holds a char *; no code writes to it, and free_msg() knows it by address. */
static char oom_text[] = "out of memory; lower --memory or free some";

/* In the order of their numbers, as the help shows them. Wording is for the person who has just seen the number. */
const struct exit_status_row exit_status_table[] = {
    {XS_DONE, "done, nothing left over"},
    {XS_LEFT_OVER, "finished, but rows were rejected, failed or deferred, removals wait, or work is still open"},
    {XS_CHANGES, "diff --exit-code: there are changes"},
    {XS_GUARD, "a guard stopped the run"},
    {XS_USAGE, "unknown command or option, bad option value, or consent missing"},
    {XS_SOURCE, "the source is unusable: empty, undecodable, badly quoted, or it failed while rows flowed"},
    {XS_NO_SOURCE, "the source is unavailable: missing, unreadable, or its server refused or went away"},
    {XS_API, "the API cannot be reached, refuses us at its edge, or kept failing; open work is resumable"},
    {XS_INTERNAL, "the sum of the rows does not close, or another internal error: please report it"},
    {XS_STATE, "the state or the output is unusable: not one of ours, corrupt, newer, missing, or cannot be created"},
    {XS_IO, "the disk is full, or reading or writing failed"},
    {XS_LOCKED, "another run of this sync holds the lock"},
    {XS_KEY, "no API key, key refused, key file unreadable or readable by others, scope missing, or plan unpaid"},
    {XS_CONFIG, "the mapping is wrong or missing, the query refused, the target unknown, or the state another's"},
    {XS_SIGINT, "interrupted; what was in flight was settled first; resumable"},
    {XS_SIGTERM, "terminated; what was in flight was settled first; resumable"},
    {XS_DONE, NULL},
};

/* malloc'ed text, or NULL when memory is short or the format is bad. */
static char *format(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static char *format(const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        return NULL;
    return text;
}

/* The static text is never freed. */
static void free_msg(char *msg)
{
    if (msg != oom_text)
        free(msg);
}

int err_vset(struct err *e, enum exit_status status, const char *fmt, va_list ap)
{
    /* The lowest message says what happened; what callers would say instead is only where. */
    if (e->status != XS_DONE)
        return -1;
    char *text = format(fmt, ap);
    if (text == NULL)
        return err_oom(e);
    e->status = status;
    e->msg = text;
    return -1;
}

/* A thin skin: what is worth knowing is in err_vset(). */
int err_set(struct err *e, enum exit_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, status, fmt, ap);
    va_end(ap);
    return -1;
}

int err_oom(struct err *e)
{
    /* No formatting, no allocation: this must work when nothing else does. */
    if (e->status == XS_DONE) {
        e->status = XS_INTERNAL;
        e->msg = oom_text;
    }
    return -1;
}

int err_context(struct err *e, const char *fmt, ...)
{
    if (e->status == XS_DONE)
        return -1;
    /* Without memory for the longer message the shorter one stays: it says the more important half. */
    va_list ap;
    va_start(ap, fmt);
    char *context = format(fmt, ap);
    va_end(ap);
    char *both = NULL;
    if (context != NULL && asprintf(&both, "%s: %s", context, err_text(e)) >= 0) {
        free_msg(e->msg);
        e->msg = both;
    }
    free(context);
    return -1;
}

/* Whatever the caller was doing, these say that the disk is at fault and not what was asked of it. */
static int is_io_fault(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT || errnum == EIO || errnum == EROFS || errnum == EFBIG;
}

const char *err_io_text(int errnum)
{
    return errnum == EFBIG ? "File too large: raise the limit of file sizes (ulimit -f)" : strerror(errnum);
}

int err_errno(struct err *e, enum exit_status status, int errnum, const char *fmt, ...)
{
    /* Looked at first, since the caller's arguments cost nothing when they are not formatted. */
    if (e->status != XS_DONE)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    char *what = format(fmt, ap);
    va_end(ap);
    if (what == NULL)
        return err_oom(e);
    err_set(e, is_io_fault(errnum) ? XS_IO : status, "%s: %s", what, err_io_text(errnum));
    free(what);
    return -1;
}

/* Never NULL, so that it can be printed whatever happened. */
const char *err_text(const struct err *e)
{
    return e->msg != NULL ? e->msg : "";
}

int err_take(struct err *e, struct err *from)
{
    /* The message changes hands: nothing is allocated, so nothing can fail. */
    if (e->status == XS_DONE) {
        *e = *from;
        *from = (struct err)ERR_INIT;
    }
    err_clear(from);
    return -1;
}

int err_copy(struct err *e, const struct err *from)
{
    return from->status == XS_DONE ? -1 : err_set(e, from->status, "%s", err_text(from));
}

void err_clear(struct err *e)
{
    /* Usable again at once: an err may be cleared and tried with another time. */
    free_msg(e->msg);
    e->status = XS_DONE;
    e->msg = NULL;
}
