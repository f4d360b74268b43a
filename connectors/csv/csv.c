/* A CSV file, or stdin. csvrows.c reads the rows. This file handles what concerns files: a file can be missing, and it can
 * change while it is read. */
#include "config.h"

#include "connectors/csv/csvrows.h"
#include "connectors/drivers.h"
#include "connectors/csv/utf8_first.h"
#include "sync/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct csv_source {
    struct source base;
    struct input in;
    struct csvrows *rows;
    char *label;
    const char *encoding; /* NULL: find it */
    int fd;
    bool is_stdin;      /* which is not ours to close */
    struct stat before; /* as it was when opened */
};

static void csv_close_source(struct source *self)
{
    struct csv_source *s = (struct csv_source *)self;
    char ignored[SHA256_HEX_N];

    csvrows_free(s->rows);
    sha256_end(&s->in.digest, ignored);
    if (s->fd >= 0 && !s->is_stdin)
        close(s->fd);
    free(s->label);
    free(s);
}

static int open_fd(struct csv_source *s, const struct csv_spec *spec, struct err *e)
{
    s->is_stdin = strcmp(spec->path, "-") == 0;
    s->label = strdup(s->is_stdin ? "stdin" : spec->path);
    if (s->label == NULL)
        return err_oom(e);
    s->base.label = s->label;
    /* With O_NONBLOCK a FIFO opens without its writer, so that input_read() waits for one: it obeys signals and deadlines.
     * poll() reports no end of a FIFO that had no writer yet. */
    s->fd = s->is_stdin ? STDIN_FILENO : open(spec->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (s->fd < 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be opened", s->label);
    if (input_init(&s->in, s->fd, s->label, e) != 0)
        return -1;
    if (fstat(s->fd, &s->before) != 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", s->label);
    if (S_ISREG(s->before.st_mode)) {
        /* stdin may stand anywhere in its file. */
        off_t start = lseek(s->fd, 0, SEEK_CUR);
        s->base.bytes_total = start >= 0 && start < s->before.st_size ? (uint64_t)(s->before.st_size - start) : 0;
        (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: nothing is lost without it */
    }
    return 0;
}

/* The encoding to read with. What can be read only once is put where it can be read twice. */
static int choose_encoding(struct csv_source *s, const struct csv_spec *spec, struct err *e)
{
    s->encoding = spec->encoding;
    if (!spec->utf8_first || spec->encoding == NULL)
        return 0;
    if (!S_ISREG(s->before.st_mode)) {
        int fd = utf8_first_spool(&s->in, e);
        if (fd < 0)
            return -1;
        if (!s->is_stdin)
            close(s->fd);
        s->fd = fd;
        s->is_stdin = false;
        if (input_init(&s->in, fd, s->label, e) != 0)
            return -1;
    }
    int found = utf8_first_look(s->fd, s->label, e);
    if (found > 0 && strcasecmp(spec->encoding, "UTF-8") != 0) {
        log_notice("%s: is UTF-8 and is read as UTF-8, not as %s", s->label, spec->encoding);
        s->encoding = "UTF-8";
    }
    return found < 0 ? -1 : 0;
}

static int csv_open_source(const struct source_spec *spec, const struct source_read *read, struct clock *clock,
                           struct source **out, struct err *e)
{
    struct csv_source *s = calloc(1, sizeof *s);
    const struct csv_spec *csv = &spec->as.csv;
    struct csvrows_format format = {
        .delimiter = csv->delimiter,
        .delimiter_may_differ = csv->delimiter_may_differ,
        .uncertain_encoding = csv->uncertain_encoding,
        .header = csv->header,
        .silent = csv->first_look,
        .embedded_rows = csv->embedded_rows,
        .names = csv->names,
        .names_n = csv->names_n,
        .header_may_stand = csv->header_may_stand,
        .field_max = read->field_max,
    };

    (void)clock;
    if (s == NULL)
        return err_oom(e);
    s->fd = -1;
    s->base.ops = &source_csv;
    int opened = open_fd(s, csv, e);
    s->in.deadline_us = read->deadline_us; /* of a pipe */
    if (opened == 0)
        opened = choose_encoding(s, csv, e);
    format.encoding = s->encoding;
    s->in.digest = opened == 0 ? sha256_begin() : NULL;
    if (opened != 0 || csvrows_new(&s->in, &format, &s->rows, e) != 0) {
        csv_close_source(&s->base);
        return -1;
    }
    s->base.columns = csvrows_columns(s->rows, &s->base.columns_n);
    s->base.delimiter = csvrows_delimiter(s->rows);
    s->base.encoding_assumed = csvrows_assumed(s->rows);
    *out = &s->base;
    return 0;
}

/* What happened to the file since it was opened: NULL, nothing. A writer may also put another one in its place. */
static const char *change(const struct csv_source *s, const struct stat *now)
{
    struct stat there;

    if (now->st_size != s->before.st_size || now->st_mtim.tv_sec != s->before.st_mtim.tv_sec ||
        now->st_mtim.tv_nsec != s->before.st_mtim.tv_nsec)
        return "was written to";
    if (!s->is_stdin && (stat(s->label, &there) != 0 || there.st_dev != now->st_dev || there.st_ino != now->st_ino))
        return "was replaced";
    return NULL;
}

/* A file that was cut during the read still ends cleanly, so rows would be missing without a message. */
static int check_unchanged(struct csv_source *s, struct err *e)
{
    struct stat now;

    if (!S_ISREG(s->before.st_mode))
        return 0;
    if (fstat(s->fd, &now) != 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", s->label);
    if (now.st_size < s->before.st_size || s->in.bytes < s->base.bytes_total)
        return err_set(e, XS_SOURCE,
                       "%s: was cut from %lld to %lld bytes while it was read; run again when its writer is done", s->label,
                       (long long)s->before.st_size, (long long)now.st_size);
    if (s->base.changed == NULL)
        s->base.changed = change(s, &now);
    return 0;
}

/* Half a row must not become a lead: the last one of a file that its writer has not finished. */
static int csv_next_row(struct source *self, struct row *out, struct err *e)
{
    struct csv_source *s = (struct csv_source *)self;
    int got = self->changed != NULL ? 0 : csvrows_next(s->rows, out, e);

    self->bytes_read = s->in.bytes;
    self->encoding_assumed = csvrows_assumed(s->rows);
    if (got < 0 || (got > 0 && !csvrows_is_open(s->rows)))
        return got;
    if (check_unchanged(s, e) != 0)
        return -1;
    got = self->changed != NULL ? 0 : got;
    if (got == 0 && self->changed == NULL && s->in.digest != NULL)
        sha256_end(&s->in.digest, self->sha256);
    return got;
}

const struct source_ops source_csv = {
    .name = "csv",
    .open = csv_open_source,
    .next = csv_next_row,
    .close = csv_close_source,
};
