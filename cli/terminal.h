/* Standard error: messages, and a progress bar where it is a terminal. */
#ifndef PROTEA_CLI_TERMINAL_H
#define PROTEA_CLI_TERMINAL_H

#include <stdbool.h>

#include <protea/job.h>

typedef struct cli_terminal {
    bool quiet;    /* no messages but errors, no bar */
    bool bar;      /* standard error is a terminal */
    bool colour;   /* ... that shows colours, and NO_COLOR is not set */
    bool drawn;    /* a bar is on the last line */
} cli_terminal;

cli_terminal cli_terminal_open(bool quiet);
/* Hooks for a job; cookie is the terminal. */
void cli_terminal_log(void *cookie, protea_log_level level, const char *line);
void cli_terminal_progress(void *cookie, const protea_report *report);
/* Removes the bar. */
void cli_terminal_clear(cli_terminal *t);
/* "protea: error: line", on a line of its own. */
void cli_terminal_error(cli_terminal *t, const char *line);

#endif
