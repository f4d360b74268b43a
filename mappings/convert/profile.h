/* Finds profile pages in professional networks: a person's or company's page in one is not its website. */
#ifndef MAPPINGS_CONVERT_PROFILE_H
#define MAPPINGS_CONVERT_PROFILE_H

#include "sync/base/str.h"

#include <stdbool.h>

/* linkedin.com, lnkd.in, xing.com and hosts below them, with or without a scheme. `trimmed` has no blanks around it. Pure. */
bool profile_page(struct str trimmed);

#endif
