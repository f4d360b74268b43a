/* Watermarks: whether a mapping has one, and whether its source allows it. */
#ifndef SYNC_PIPELINE_WATERMARK_H
#define SYNC_PIPELINE_WATERMARK_H

#include "connectors/source.h"
#include "mappings/mapping.h"

/* True if the mapping has a watermark. */
bool watermark_used(const struct mapping *m);

/* XS_CONFIG: a mirror would take rows without a watermark for missing rows. 0/-1 */
int watermark_judge(const struct mapping *m, const struct source *source, struct err *e);

#endif
