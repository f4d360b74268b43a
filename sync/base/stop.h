/* The signal flag: how often SIGINT or SIGTERM came. The first asks to settle, the second leaves at once. */
#ifndef SYNC_BASE_STOP_H
#define SYNC_BASE_STOP_H

/* Installs the handlers; SIGPIPE and SIGXFSZ are ignored. The second signal _exits with 128 + its number. */
void stop_install(void);
/* 0, or the number of the first signal. */
int stop_requested(void);
/* For tests: as if `signo` had come; 0 resets. */
void stop_set(int signo);

#endif
