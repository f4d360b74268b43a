/* Three formats because the standard obliges to read all three; anything else is no date, never a guess. */
#include "config.h"

#include "sync/api/http/http_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DATE_MAX = 63 };

/* -1 for an unknown name. */
static int month_from(const char *name)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++)
        if (strcmp(months[i], name) == 0)
            return i;
    return -1;
}

int http_date_parse(struct str text, int64_t *ms)
{
    char line[DATE_MAX + 1], month[4] = "";
    int day, year, hour, minute, second, end = 0;
    text = str_trim(text);
    if (text.n == 0 || text.n > DATE_MAX)
        return -1;
    memcpy(line, text.p, text.n);
    line[text.n] = '\0';

    /* The day's name carries no information and is not checked. */
    bool fixed = sscanf(line, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute, &second,
                        &end) == 6 && end != 0;
    if (!fixed) {
        end = 0;
        bool rfc850 = sscanf(line, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &day, month, &year, &hour,
                             &minute, &second, &end) == 6 && end != 0;
        if (rfc850)
            year += year < 70 ? 2000 : 1900;
        else if (sscanf(line, "%*3[A-Za-z] %3s %2d %2d:%2d:%2d %4d%n", month, &day, &hour, &minute, &second, &year,
                        &end) != 6 || end == 0)
            return -1;
    }
    if (line[end] != '\0')
        return -1;
    struct tm tm = {.tm_mday = day, .tm_mon = month_from(month), .tm_year = year - 1900,
                    .tm_hour = hour, .tm_min = minute, .tm_sec = second};
    if (tm.tm_mon < 0 || day < 1 || day > 31 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return -1;
    *ms = (int64_t)timegm(&tm) * 1000;
    return 0;
}

int64_t retry_after_parse(struct str text, int64_t now_ms)
{
    text = str_trim(text);
    if (text.n == 0)
        return -1;
    int64_t ms = 0, until_ms;
    if (isdigit((unsigned char)text.p[0])) {
        /* The standard knows whole seconds; a fraction ("1.5") is seen and is rounded up. */
        size_t i = 0;
        for (; i < text.n && isdigit((unsigned char)text.p[i]); i++)
            if (ms <= RETRY_AFTER_MAX_MS)
                ms = ms * 10 + (text.p[i] - '0') * 1000;
        if (i < text.n && text.p[i] == '.') {
            while (++i < text.n && isdigit((unsigned char)text.p[i]))
                ;
            ms += 1000;
        }
        if (i != text.n)
            return -1;
    } else if (http_date_parse(text, &until_ms) == 0) {
        ms = until_ms - now_ms;
    } else {
        return -1;
    }
    return ms < 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}
