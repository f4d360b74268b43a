/* Watermarks as the engine sees them: what a mapping may want of one, and what `check` says about it. */
#ifndef SYNC_PIPELINE_WATERMARK_H
#define SYNC_PIPELINE_WATERMARK_H

#include "connectors/source.h"
#include "mappings/mapping.h"

/* Does the mapping have a watermark? */
bool watermark_used(const struct mapping *m);

/* Refuses a mirror that would take a row without a watermark for a row that is gone. XS_CONFIG. 0/-1. */
int watermark_judge(const struct mapping *m, const struct source *source, struct err *e);

#endif
