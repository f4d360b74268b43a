/* Parts of a run's report that every run has, be it a sync's or an edit by hand. */
#ifndef SYNC_PIPELINE_RUN_FILL_H
#define SYNC_PIPELINE_RUN_FILL_H

#include "sync/api/api.h"
#include "sync/report/run_report.h"
#include "sync/upload/upload.h"

/* The background jobs of the upload; NULL has none. 0/-1 (memory) */
int run_fill_jobs(struct run_report *report, const struct upload *u);
/* Counts of requests (of `api`, which may be NULL), and memory. */
void run_fill_costs(struct run_report *report, const struct api *api);

#endif
