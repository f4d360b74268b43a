/* The connectors that source.c chooses from. A new source adds its file, a line here and a line of the table. */
#ifndef CONNECTORS_DRIVERS_H
#define CONNECTORS_DRIVERS_H

#include "connectors/source.h"

extern const struct source_ops source_csv;
extern const struct source_ops source_postgres;
extern const struct source_ops source_sqlite;
extern const struct source_ops source_command;

enum { SOURCE_FIELD_MAX = 1 << 20 }; /* bytes of one cell unless the reader says otherwise */

#endif
