/* Manual pages and shell completion, written from the same tables as the help. */
#ifndef PROTEA_CLI_MANUAL_H
#define PROTEA_CLI_MANUAL_H

#include <protea/status.h>

/* The page protea(1), or protea-VERB(1), as roff on standard output. Errors: PROTEA_ERR_USAGE (no such verb). */
protea_status cli_manual(const char *verb);
/* A completion script for bash, zsh or fish on standard output; false: no such shell. */
int cli_completion(const char *shell);

#endif
