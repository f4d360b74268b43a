/* Rows below the data, as reports have: a text and at most numbers beside it, and no address. */
#include "config.h"

#include "mappings/footer.h"

#include "sync/base/text.h"

#include <string.h>

bool footer_has_letter(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return true;
    }
    return false;
}

const char *footer_total_word(struct str text)
{
    static const char *const words[] = {"Total",       "Totals",    "Grand total",   "Subtotal", "Summe",  "Gesamt",
                                        "Gesamtsumme", "Insgesamt", "Total général", "Totale",   "Totaal", "Totalt",
                                        "Yhteensä",    "Razem",     "Celkem",        "Összesen", "Toplam", "Итого",
                                        "Всего",       "合计",      "合計",          "总计",     "Anzahl"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(text, str_from(words[i])))
            return words[i];
    return NULL;
}

/* "Summe: 60 Kontakte", "12 rows", "Total": no person has such a name. */
static bool is_no_name(struct str text)
{
    bool marked = false;
    for (size_t i = 0; i < text.n && !marked; i++)
        marked = text.p[i] == ':' || (text.p[i] >= '0' && text.p[i] <= '9');
    return marked || footer_total_word(text) != NULL;
}

bool footer_looks_like(const struct row *row, size_t columns_n)
{
    size_t filled = 0;
    if (row->line == 0 || columns_n <= FOOTER_CELLS)
        return false;
    for (size_t i = 0; i < row->n && i < columns_n; i++) {
        struct str text = str_trim((struct str){row->cells[i].p, row->cells[i].n});
        if (text.n == 0)
            continue;
        /* The text comes first, and numbers follow it. */
        if (memchr(text.p, '@', text.n) != NULL || footer_has_letter(text) != (filled == 0) ||
            (filled == 0 && (i > 0 ? footer_total_word(text) == NULL : !is_no_name(text))))
            return false;
        filled++;
    }
    return filled > 0;
}
