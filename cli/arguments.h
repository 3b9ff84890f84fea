/* What was typed, sorted out. */
#ifndef PROTEA_CLI_ARGUMENTS_H
#define PROTEA_CLI_ARGUMENTS_H

#include <stdbool.h>

#include <protea/job.h>

/* What every verb takes beside its own options. Pointers are into argv. */
typedef struct cli_call {
    const char *verb, *kind;       /* NULL when not given */
    const char *config, *output;   /* --config, -o; NULL when not given */
    bool help, version, manual, json, quiet, print_config;
    const char *completion;        /* the shell it is for, or NULL */
    const char **arguments;        /* (n_arguments) positional; owned by the caller of cli_read_options */
    int n_arguments;
} cli_call;

/* Finds verb and kind, --config and what needs no options: --help, --version. */
void cli_read_call(cli_call *call, int argc, char **argv);
/* Index of the first word after verb and kind. */
int cli_first_option(const cli_call *call);
/* Sets the job's options and fills in the rest of the call. arguments must have room for argc words.
 * On failure *message (size bytes) says why where the library does not. */
protea_status cli_read_options(cli_call *call, protea_job *job, int argc, char **argv, char *message, unsigned long size);

#endif
