/* Help from the tables. All return PROTEA_OK or what the library said. */
#ifndef PROTEA_CLI_HELP_H
#define PROTEA_CLI_HELP_H

#include <protea/job.h>

void cli_help_all(void);
/* kind may be NULL: then the options that all kinds have in common. */
protea_status cli_help_verb(const char *verb, const char *kind);

#endif
