/* Writes members that reports, records and dry runs share into an open JSON object. */
#ifndef SYNC_REPORT_RUN_BEGUN_H
#define SYNC_REPORT_RUN_BEGUN_H

#include "sync/base/jsonw.h"
#include "sync/report/run_report.h"

/* "actor", "mapping_sha256", "overrides" */
void run_begun_json(const struct run_report *report, struct jsonw *w);
/* "stopped_by" */
void run_stopped_json(const struct run_report *report, struct jsonw *w);
/* "source": an object with its name and SHA-256, each null if it is not known; null without a name. */
void source_json(const char *name, const char *sha256, struct jsonw *w);
/* One guard as an object of its own. */
void guard_json(const struct run_guard *guard, struct jsonw *w);

#endif
