/* Help from the tables: verbs, kinds, and every option with its default, range, unit and source. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include <protea/version.h>

#include "option_text.h"

enum { NAME_WIDTH = 26 };

void cli_help_all(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    printf("protea %s: prototype-based self-supervised learning on images, and classifiers that adapt at test time\n\nusage:\n",
           protea_version());
    for (int i = 0; i < n; i++) {
        char line[128];
        cli_usage_line(line, sizeof line, verbs[i], verbs[i]->kinds_title);
        printf("  %-58s %s\n", line, verbs[i]->summary);
    }
    printf("\n  protea VERB --help, protea VERB KIND --help   all options, with default, range, unit and source\n"
           "  protea --version, protea --manual [VERB] (a manual page), protea --completion bash|zsh|fish (a script)\n\n"
           "for every verb:\n"
           "  --config FILE     options from a YAML file (a flag beats it)\n"
           "  --print-config    print the options as they would be used, and stop\n"
           "  --json            one JSON object on standard output, nothing else there\n"
           "  --quiet           no messages but warnings and errors, no progress\n\n"
           "DATA: a folder of class folders, a flat folder, a tar (plain, gz, xz, zst), a list (.txt, .csv), IDX, .npy,\n"
           "      CIFAR binary files, or synth:NAME[,n=5000][,size=32][,seed=1]; PATH::SUB takes what lies under SUB\n"
           "MODEL: a RUN directory, a .safetensors file, or the word pixels\n\nexamples:\n");
    for (int i = 0; i < n; i++)
        printf("  %s\n", verbs[i]->example);
    printf("\nexit codes: 0 done, 2 usage, 3 bad input, 4 input/output, 5 memory, 6 diverged or collapsed, 7 directory in use,\n"
           "            75 stopped by a signal with the state saved (go on with --resume), 128 + N ended by signal N with\n"
           "            nothing saved, 1 anything else\n"
           "recipes:");
    for (const char *const *name = protea_recipe_names(); *name != NULL; name++)
        printf(" %s", *name);
    printf("\n");
}

/* ---- one verb */

typedef struct listing {
    const char *title;      /* of the group being printed */
    const cli_kinds *kinds; /* which must all have an option for it to be shown */
} listing;

static int print_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    listing *l = self;
    char name[128], notes[512];
    if (opt->flags & PROTEA_OPT_HIDDEN || !cli_kinds_share(l->kinds, opt->key))
        return 0;
    if (l->title == NULL || strcmp(l->title, title) != 0)
        printf("\n%s:\n", title);
    l->title = title;
    cli_option_name(name, sizeof name, opt);
    cli_option_notes(notes, sizeof notes, opt, value);
    printf("  %-*s", NAME_WIDTH, name);
    if (strlen(name) >= NAME_WIDTH)
        printf("\n  %*s", NAME_WIDTH, "");
    printf("%s\n  %*s(%s)\n", opt->help, NAME_WIDTH, "", notes);
    return 0;
}

static void print_usage(const protea_verb_info *info, const char *kind)
{
    char line[128];
    cli_usage_line(line, sizeof line, info, kind != NULL ? kind : info->kinds_title);
    printf("protea %s: %s\n\nusage: %s [options]\nexample: %s\n", info->name, info->summary, line, info->example);
    if (kind != NULL || info->kinds == NULL)
        return;
    printf("\n%s:\n", info->kinds_title);
    for (int i = 0; info->kinds[i] != NULL; i++)
        printf("  %-*s%s\n", NAME_WIDTH, info->kinds[i], info->kind_summary(info->kinds[i]));
}

static protea_status print_options(const protea_verb_info *info, const char *kind)
{
    cli_kinds kinds;
    listing l = { .kinds = &kinds };
    protea_status status = cli_kinds_open(&kinds, info, kind);
    if (status == PROTEA_OK) {
        protea_options_each(protea_job_options(kinds.job[0]), print_option, &l);
        if (kinds.n > 1)
            printf("\nand those of each %s: protea %s %s --help\n", info->kinds_title, info->name, info->kinds_title);
    }
    cli_kinds_close(&kinds);
    return status;
}

protea_status cli_help_verb(const char *verb, const char *kind)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    for (int i = 0; i < n; i++) {
        if (strcmp(verbs[i]->name, verb) != 0)
            continue;
        if (kind != NULL) { /* a misspelt kind is answered before anything is printed */
            protea_job *job;
            protea_status status = protea_job_new(&job, verb, kind);
            protea_job_free(job);
            if (status != PROTEA_OK)
                return status;
        }
        print_usage(verbs[i], kind);
        return print_options(verbs[i], kind);
    }
    protea_job *none;
    return protea_job_new(&none, verb, kind); /* says what is nearest */
}
