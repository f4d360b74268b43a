#include "config.h"

#include "connectors/csv/file_kind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SAVE_AS_CSV "open it in the spreadsheet program and save it as \"CSV UTF-8\""
#define UNPACK "unpack it first, or pipe it in: use - as the file's name"

/* The first entry that fits counts. `inside`: bytes somewhere in the head; NULL: none are asked for. */
static const struct kind {
    const char *start;
    size_t n;
    const char *inside;
    const char *what, *fix;
} kind_table[] = {
    {"PK\003\004", 4, "opendocument.spreadsheet", "an OpenDocument spreadsheet", SAVE_AS_CSV},
    {"PK\003\004", 4, "[Content_Types].xml", "an Excel workbook", SAVE_AS_CSV},
    {"PK\003\004", 4, "xl/", "an Excel workbook", SAVE_AS_CSV},
    {"PK\003\004", 4, "_rels/", "an Excel workbook", SAVE_AS_CSV},
    {"PK\003\004", 4, NULL, "a zip archive", "unpack it first"},
    {"\xd0\xcf\x11\xe0", 4, NULL, "an old Excel workbook (.xls) or another Office file", SAVE_AS_CSV},
    {"\x1f\x8b", 2, NULL, "compressed with gzip", UNPACK ", as in: zcat FILE.csv.gz | leadsync ... -"},
    {"BZh", 3, "1AY&SY", "compressed with bzip2", UNPACK},
    {"\xfd"
     "7zXZ",
     5, NULL, "compressed with xz", UNPACK},
    {"\x28\xb5\x2f\xfd", 4, NULL, "compressed with zstd", UNPACK},
    {"7z\xbc\xaf", 4, NULL, "a 7-Zip archive", "unpack it first"},
    {"Rar!", 4, NULL, "a RAR archive", "unpack it first"},
    {"SQLite format 3", 16, NULL, "an SQLite database", "read it with a mapping whose source is sqlite:"},
    {"%PDF-", 5, NULL, "a PDF document", "export the rows as CSV"},
    {"\x89PNG", 4, NULL, "a picture", "export the rows as CSV"},
    {"\xff\xd8\xff", 3, NULL, "a picture", "export the rows as CSV"},
    {"PAR1", 4, NULL, "a Parquet file", "export the rows as CSV"},
    {"{\\rtf", 5, NULL, "a Rich Text document", SAVE_AS_CSV},
};

/* The same for text: blanks before it and its case do not matter. */
/* clang-format off */
static const struct kind text_table[] = {
    {"<!doctype html", 14, NULL, "a web page (HTML)", "export the rows as CSV; a sign-in page is what a download without a login gives"},
    {"<html", 5, NULL, "a web page (HTML), as some programs write for Excel", SAVE_AS_CSV},
    {"<table", 6, NULL, "a table in HTML, as some programs write for Excel", SAVE_AS_CSV},
    {"<?xml", 5, "<workbook", "an Excel workbook in XML", SAVE_AS_CSV},
    {"<?xml", 5, NULL, "XML", "export the rows as CSV"},
    {"{\"", 2, NULL, "JSON", "export the rows as CSV, or read it with a mapping whose source is command: with format: ndjson"},
    {"{\n", 2, NULL, "JSON", "export the rows as CSV, or read it with a mapping whose source is command: with format: ndjson"},
    {"[{", 2, NULL, "JSON", "export the rows as CSV, or read it with a mapping whose source is command: with format: ndjson"},
    {"[\n", 2, NULL, "JSON", "export the rows as CSV, or read it with a mapping whose source is command: with format: ndjson"},
    {"begin:vcard", 11, NULL, "a file of vCards", "export the contacts as CSV"},
    {"begin:vcalendar", 15, NULL, "a calendar", "export the contacts as CSV"},
    {"return-path: ", 13, NULL, "an e-mail", "save its attachment"},
    {"received: ", 10, NULL, "an e-mail", "save its attachment"},
    {"delivered-to: ", 14, NULL, "an e-mail", "save its attachment"},
    {"mime-version: ", 14, NULL, "an e-mail", "save its attachment"},
    {"x-mozilla-status: ", 18, NULL, "an e-mail", "save its attachment"},
    {"dn: ", 4, "objectclass:", "an LDIF file", "export the contacts as CSV"},
    {"-- mysql dump", 13, NULL, "an SQL dump", "export the rows as CSV"},
    {"-- postgresql database dump", 27, NULL, "an SQL dump", "export the rows as CSV"},
};
/* clang-format on */

static bool holds(struct str s, const char *needle)
{
    return memmem(s.p, s.n, needle, strlen(needle)) != NULL;
}

static const struct kind *find_kind(struct str head)
{
    for (size_t i = 0; i < sizeof kind_table / sizeof kind_table[0]; i++) {
        const struct kind *k = &kind_table[i];
        if (head.n >= k->n && memcmp(head.p, k->start, k->n) == 0 && (k->inside == NULL || holds(head, k->inside)))
            return k;
    }
    if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0)
        head = (struct str){head.p + 3, head.n - 3};
    while (head.n > 0 && memchr(" \t\r\n", head.p[0], 4) != NULL)
        head = (struct str){head.p + 1, head.n - 1};
    for (size_t i = 0; i < sizeof text_table / sizeof text_table[0]; i++) {
        const struct kind *k = &text_table[i];
        if (head.n >= k->n && strncasecmp(head.p, k->start, k->n) == 0 && (k->inside == NULL || holds(head, k->inside)))
            return k;
    }
    return NULL;
}

int file_kind_refuse(struct str head, const char *label, struct err *e)
{
    const struct kind *k = find_kind(head);

    return k == NULL ? 0 : err_set(e, XS_SOURCE, "%s: is not a CSV file: it is %s; %s", label, k->what, k->fix);
}
