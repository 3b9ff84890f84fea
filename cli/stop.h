/* Signals that end a run. */
#ifndef PROTEA_CLI_STOP_H
#define PROTEA_CLI_STOP_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM, SIGUSR1 and SIGHUP (unless ignored, as nohup has it) ask a verb that can resume to save and stop:
 * the flag returned becomes 1. A second SIGINT ends the process at once. Other verbs end at the first. Who
 * ends at once has nothing saved since the last checkpoint, and the exit code 128 + the signal's number. */
volatile sig_atomic_t *cli_watch_signals(bool can_resume);
/* Writing to a pipe that nobody reads, or past the size a file may have, fails and says so instead of ending the process. */
void cli_ignore_write_signals(void);

#endif
