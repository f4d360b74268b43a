#include "config.h"

#include "mappings/convert/typed.h"

#include <string.h>

static bool typed_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_n(struct str s, size_t at)
{
    size_t i = at;
    while (i < s.n && typed_is_digit(s.p[i]))
        i++;
    return i - at;
}

/* The power of ten of the first digit that is not zero, and where that digit stands; false for a zero. `start` and `end`
 * delimit digits with at most one point among them. */
static bool leading_power(struct str s, size_t start, size_t end, long *power, size_t *first)
{
    const char *point = memchr(s.p + start, '.', end - start);
    size_t units = point != NULL ? (size_t)(point - s.p) : end, i = start;

    while (i < end && (s.p[i] == '0' || s.p[i] == '.'))
        i++;
    *first = i;
    *power = i < units ? (long)(units - i) - 1 : -(long)(i - units);
    return i < end;
}

/* True if a double cannot hold the number. JSON has no limit, but its readers do: they read 1e400 as infinity.
 * This counts digits, because strtod() depends on the locale. */
static bool too_large(struct str s, size_t start, size_t end, long exponent)
{
    static const char limit[] = "17976931348623158"; /* the digits of DBL_MAX, where 1.79…e308 ends */
    long power;
    size_t at, i = 0;

    if (!leading_power(s, start, end, &power, &at) || power + exponent < 308)
        return false;
    if (power + exponent > 308)
        return true;
    for (; at < end && limit[i] != 0; at++) {
        if (s.p[at] == '.')
            continue;
        if (s.p[at] != limit[i])
            return s.p[at] > limit[i];
        i++;
    }
    return limit[i] == 0;
}

/* Why text that looks like a number is not one, in terms of what people have in their sheets. */
static const char *typed_explain(struct str s)
{
    bool comma = memchr(s.p, ',', s.n) != NULL;

    if (str_trim(s).n != s.n)
        return "has blanks around a number; use apply: [trim]";
    if (s.p[0] == '+')
        return "is not a number: leave out the +";
    if (comma)
        return "is not a number: write 1234.5, with a decimal point and without thousands separators";
    size_t sign = s.p[0] == '-';
    if (s.n > sign + 1 && s.p[sign] == '0' && typed_is_digit(s.p[sign + 1]))
        return "is not a number: it starts with a zero; use type: string to keep the zero";
    return "is not a number";
}

const char *typed_number(struct str in, struct str *out)
{
    size_t i = in.n > 0 && in.p[0] == '-', start = i, n = digits_n(in, i);
    long exponent = 0;

    *out = in;
    if (in.n == 0)
        return "is empty";
    if (n == 0 || (n > 1 && in.p[i] == '0'))
        return typed_explain(in);
    i += n;
    if (i < in.n && in.p[i] == '.') {
        n = digits_n(in, i + 1);
        if (n == 0)
            return typed_explain(in);
        i += 1 + n;
    }
    size_t end = i;
    if (i < in.n && (in.p[i] == 'e' || in.p[i] == 'E')) {
        bool minus = i + 1 < in.n && in.p[i + 1] == '-';
        i += minus || (i + 1 < in.n && in.p[i + 1] == '+') ? 2 : 1;
        n = digits_n(in, i);
        if (n == 0)
            return typed_explain(in);
        /* No text is long enough for an exponent past ten million to bring it back into range. */
        for (size_t d = i; d < i + n && exponent < 100000000; d++)
            exponent = exponent * 10 + (in.p[d] - '0');
        exponent = minus ? -exponent : exponent;
        i += n;
    }
    if (i != in.n)
        return typed_explain(in);
    return too_large(in, start, end, exponent) ? "is larger than any number that can be sent" : NULL;
}

const char *typed_boolean(struct str in, struct str *out)
{
    static const struct {
        struct str spelled;
        bool value;
    } table[] = {{{"true", 4}, true},   {{"yes", 3}, true}, {{"t", 1}, true},  {{"1", 1}, true},
                 {{"false", 5}, false}, {{"no", 2}, false}, {{"f", 1}, false}, {{"0", 1}, false}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (str_eq_nocase(in, table[i].spelled)) {
            *out = table[i].value ? STR("true") : STR("false");
            return NULL;
        }
    *out = in;
    return str_trim(in).n != in.n ? "has blanks around it; use apply: [trim]"
                                  : "is not one of true, false, yes, no, t, f, 1 and 0; use map: for other words";
}

/* The published schemas of both adding and patching a lead list these nine values and no others. The API returns labels
 * that a workspace defined itself with other numbers, but nothing promises that it accepts those numbers. */
const char *typed_interest(struct str in, struct str *out)
{
    bool minus = in.n == 2 && in.p[0] == '-';
    char digit = in.n > 0 ? in.p[in.n - 1] : 0;

    *out = in;
    if (in.n == (minus ? 2U : 1U) && digit >= (minus ? '1' : '0') && digit <= '4')
        return NULL;
    return "is not an interest status (1 to 4, 0, -1 to -4); use map: for words";
}
