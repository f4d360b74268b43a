/* What differs between an old and a new value: the parts that both begin and end with, and what stands between. Pure. */
#ifndef SYNC_REPORT_PAGE_PAGE_VALUE_H
#define SYNC_REPORT_PAGE_PAGE_VALUE_H

#include "sync/base/str.h"

/* old = before + removed + after, new = before + added + after; all borrow from the values. */
struct page_value_marks {
    struct str before, removed, added, after;
};

/* Whole characters, with their accents. Values with little in common are different as a whole: before and after are empty. */
void page_value_compare(struct str old_value, struct str new_value, struct page_value_marks *out);

#endif
