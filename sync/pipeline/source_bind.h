/* Binds a mapping to an open source: finds its columns by name, and passes the used ones to the source. */
#ifndef SYNC_PIPELINE_SOURCE_BIND_H
#define SYNC_PIPELINE_SOURCE_BIND_H

#include "connectors/source.h"
#include "mappings/mapping.h"

/* mapping_bind() to the columns of an open source; logs its mapping_notes(). The mapping has to live until the source is closed. 0/-1. */
int source_bind(struct source *source, struct mapping *m, struct err *e);
/* Logs the warning of a mapped row, if it has one; a usual one of a run that is not `dry` as a notice. */
void source_bind_warn(const struct source *source, const struct row *row, const struct mapped *mapped, bool dry);

#endif
