/* The state of the progress line, between two of its updates. */
#ifndef SYNC_PIPELINE_RUN_PULSE_H
#define SYNC_PIPELINE_RUN_PULSE_H

#include <stdint.h>

/* What the progress line was last drawn from (run_progress.c). */
struct run_pulse {
    int64_t shown_us, rate_us;
    uint64_t requests; /* Requests sent at rate_us. */
    double limit_share;
};

#endif
