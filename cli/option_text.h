/* Options as help, manual and completion show them. */
#ifndef PROTEA_CLI_OPTION_TEXT_H
#define PROTEA_CLI_OPTION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <protea/job.h>

enum { CLI_KINDS_MAX = 48 };

/* A verb's jobs: one for each kind that is asked for. */
typedef struct cli_kinds {
    protea_job *job[CLI_KINDS_MAX]; /* owned */
    int n;
} cli_kinds;
/* kind NULL: all there are. Close in any case. */
protea_status cli_kinds_open(cli_kinds *k, const protea_verb_info *info, const char *kind);
void cli_kinds_close(cli_kinds *k);
/* Whether every kind has the option. */
bool cli_kinds_share(const cli_kinds *k, const char *key);

/* "-b, --batch-size N": one-letter aliases first. */
void cli_option_name(char *out, size_t size, const protea_opt *opt);
/* "default 256; at least 1 images; arXiv:2006.09882". */
void cli_option_notes(char *out, size_t size, const protea_opt *opt, const char *value);
/* "protea embed MODEL DATA -o FILE.npy"; kind: what stands for the kind, or NULL. */
void cli_usage_line(char *out, size_t size, const protea_verb_info *info, const char *kind);

#endif
