/* What is told when the process is about to die of a defect. */
#ifndef PROTEA_CLI_CRASH_H
#define PROTEA_CLI_CRASH_H

/* SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT first write one line of error and the calls that led there (addresses for
 * addr2line), then end the process as they would have: exit code 128 + the signal's number. What handles one of them already,
 * as a sanitizer does, is left to it. */
void cli_report_crashes(void);

#endif
