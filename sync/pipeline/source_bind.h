/* A source and a mapping meet: columns are found by name, and the source learns which of them are used. */
#ifndef SYNC_PIPELINE_SOURCE_BIND_H
#define SYNC_PIPELINE_SOURCE_BIND_H

#include "connectors/source.h"
#include "mappings/mapping.h"

/* mapping_bind() to the columns of an open source; logs its mapping_notes(). The mapping has to live until the source is closed. 0/-1. */
int source_bind(struct source *source, struct mapping *m, struct err *e);
/* Logs what a user should hear of a row that was mapped. */
void source_bind_warn(const struct source *source, const struct row *row, const struct mapped *mapped);

#endif
