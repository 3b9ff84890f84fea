/* Flags of the reference implementations that have no meaning here: taken, and said to be ignored, so that a command line that is
 * moved over works. */
#ifndef PROTEA_CLI_FOREIGN_H
#define PROTEA_CLI_FOREIGN_H

#include <stdbool.h>

typedef struct cli_foreign {
    const char *key;    /* with underscores */
    bool takes_value;
    const char *why;
} cli_foreign;

/* The flag called key, or NULL. */
const cli_foreign *cli_find_foreign(const char *key);

#endif
