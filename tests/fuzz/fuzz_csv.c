/* CSV: the first byte chooses options, the rest is the file. Whatever it holds, rows read in small pieces are the rows read
 * at once, cells are UTF-8 unless they or their row have a flaw, lines only grow, and text in UTF-8 is what the reference makes of it. */
#include "config.h"

#include "connectors/csv/csvrows.h"
#include "sync/base/log.h"
#include "sync/base/text.h"
#include "tests/unit/csvreference.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 24 };

static void expect(int truth)
{
    if (!truth)
        abort();
}

static void check_row(const struct row *row, uint64_t *line, struct buf *out)
{
    expect(row->line > *line);
    *line = row->line;
    expect(buf_addf(out, "%llu:%llu %d", (unsigned long long)row->number, (unsigned long long)row->line, (int)row->defect) ==
           0);
    for (size_t i = 0; i < row->n; i++) {
        struct str cell = {row->cells[i].p, row->cells[i].n};
        expect(row_flaw(row, i) != REASON_NONE || row->defect != REASON_NONE || text_is_utf8(cell));
        expect(buf_add_str(out, cell) == 0);
    }
}

static void read_all(int fd, const struct csvrows_format *format, size_t chunk, struct buf *out)
{
    struct csvrows *rows = NULL;
    struct input in;
    struct err e = ERR_INIT;
    struct row row;
    uint64_t line = 0;
    int got = -1;

    expect(lseek(fd, 0, SEEK_SET) == 0 && input_init(&in, fd, "fuzz", &e) == 0);
    in.chunk_max = chunk;
    if (csvrows_new(&in, format, &rows, &e) == 0)
        while ((got = csvrows_next(rows, &row, &e)) > 0)
            check_row(&row, &line, out);
    expect(buf_addf(out, "%d %d", got, (int)e.status) == 0);
    expect(got == 0 ? e.status == XS_DONE : e.status == XS_SOURCE || e.status == XS_CONFIG);
    csvrows_free(rows);
    err_clear(&e);
}

/* The reader passes over a note on the delimiter, of which the reference knows nothing. */
static bool may_have_note(struct str text)
{
    bool found = false;

    for (size_t i = 0; i + 4 <= text.n && !found; i++)
        found = str_eq_nocase((struct str){text.p + i, 4}, STR("sep="));
    return found;
}

/* Plain text without a header, in which nothing but quotes can be wrong. A first row in single quotes is refused, of which the
 * reference knows nothing, either. */
static void compare(int fd, struct str text)
{
    static const struct str names[] = {{"a", 1}, {"b", 1}};
    const struct csvrows_format format =
        {.delimiter = ',', .encoding = "UTF-8", .names = names, .names_n = 2, .embedded_rows = true, .field_max = 1 << 20};
    struct buf want = BUF_INIT(TEXT_MAX), got = BUF_INIT(TEXT_MAX);
    struct csvrows *rows = NULL;
    struct input in;
    struct err e = ERR_INIT;
    struct row row;
    int more;

    if (text.n == 0 || may_have_note(text) || memchr(text.p, '\0', text.n) != NULL || memchr(text.p, '\'', text.n) != NULL ||
        !text_is_utf8(text) || (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0))
        return;
    bool sound = csvreference_rows(text, ',', &want);
    expect(lseek(fd, 0, SEEK_SET) == 0 && input_init(&in, fd, "fuzz", &e) == 0);
    if (csvrows_new(&in, &format, &rows, &e) != 0) { /* no CSV at all */
        expect(e.status == XS_SOURCE);
        err_clear(&e);
        buf_free(&want);
        buf_free(&got);
        return;
    }
    while ((more = csvrows_next(rows, &row, &e)) > 0)
        csvreference_row(row.cells, row.n, &got);
    expect(sound == (more == 0) && str_eq(buf_str(&want), buf_str(&got)));
    csvrows_free(rows);
    err_clear(&e);
    buf_free(&want);
    buf_free(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {NULL, NULL, NULL, "UTF-8", "windows-1252", "UTF-16LE", "UTF-16", "SHIFT_JIS"};
    static const struct str names[] = {{"a", 1}, {"b", 1}};
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        log_configure(&(struct log_config){.level = LOG_ERROR});
    }
    if (size == 0)
        return 0;
    const struct csvrows_format format = {
        .delimiter = (data[0] & 1) != 0 ? ',' : '\0',
        .encoding = encodings[data[0] >> 1 & 7],
        .rows_judged_alone = (data[0] & 16) != 0,
        .header = (data[0] & 32) == 0,
        .names = names,
        .names_n = (data[0] & 64) != 0 ? 1 : 2,
        .header_may_stand = (data[0] & 2) != 0,
        .delimiter_may_differ = (data[0] & 2) != 0,
        .embedded_rows = (data[0] & 64) != 0,
        .field_max = (data[0] & 128) != 0 ? 4 : 1 << 20,
    };
    expect(ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1);
    struct buf whole = BUF_INIT(TEXT_MAX), pieces = BUF_INIT(TEXT_MAX);
    read_all(fd, &format, 0, &whole);
    read_all(fd, &format, 1 + size % 5, &pieces);
    expect(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_free(&whole);
    buf_free(&pieces);
    compare(fd, (struct str){(const char *)data + 1, size - 1});
    return 0;
}
