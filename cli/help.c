/* Help from the tables: verbs, kinds, and every option with its default, range, unit and source. */
#include "help.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <protea/version.h>

enum { NAME_WIDTH = 26, SHARED_MAX = 16 };

/* "protea embed MODEL DATA -o FILE.npy"; kind: what stands for the kind, or NULL. */
static void write_usage(char *out, size_t size, const protea_verb_info *info, const char *kind)
{
    char word[64] = "";
    if (kind != NULL)
        snprintf(word, sizeof word, info->kind_optional && kind == info->kinds_title ? " [%s]" : " %s", kind);
    const char *open = info->output == 0 ? "" : info->output == 1 ? " [-o " : " -o ", *close = info->output == 1 ? "]" : "";
    snprintf(out, size, "protea %s%s%s%s%s%s%s", info->name, word, *info->arguments ? " " : "", info->arguments, open,
             info->output ? info->output_name : "", close);
}

void cli_help_all(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    printf("protea %s: prototype-based self-supervised learning on images\n\nusage:\n", protea_version());
    for (int i = 0; i < n; i++) {
        char line[128];
        write_usage(line, sizeof line, verbs[i], verbs[i]->kinds_title);
        printf("  %-58s %s\n", line, verbs[i]->summary);
    }
    printf("\n  protea VERB --help, protea VERB KIND --help   all options, with default, range, unit and source\n"
           "  protea --version\n\n"
           "for every verb:\n"
           "  --config FILE     options from a YAML file (a flag beats it)\n"
           "  --print-config    print the options as they would be used, and stop\n"
           "  --json            one JSON object on standard output, nothing else there\n"
           "  --quiet           no messages but warnings and errors, no progress\n\n"
           "DATA: a folder of class folders, a flat folder, a tar (plain, gz, xz, zst), CIFAR binary files,\n"
           "      or synth:NAME[,n=5000][,size=32][,seed=1]; PATH::SUB takes what lies under SUB\n"
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
    const char *title;                  /* of the group being printed */
    const protea_job *shared[SHARED_MAX]; /* jobs that must have an option too for it to be shown */
    int n_shared;
} listing;

static void print_range(const protea_opt *opt)
{
    if (opt->type == PROTEA_OPT_CHOICE)
        printf("; one of %s", opt->choices);
    else if (opt->max >= 1e12)
        printf("; at least %.15g", opt->min);
    else if (opt->min != 0 || opt->max != 0)
        printf("; %.15g..%.15g", opt->min, opt->max);
    if (opt->unit != NULL)
        printf(" %s", opt->unit);
    if (opt->flags & PROTEA_OPT_SCALES)
        printf(", or a share such as 10%%");
}

static const char *placeholder(const protea_opt *opt)
{
    static const char *const names[] = { [PROTEA_OPT_BOOL] = "", [PROTEA_OPT_INT] = " N", [PROTEA_OPT_FLOAT] = " X",
                                         [PROTEA_OPT_STRING] = " TEXT", [PROTEA_OPT_CHOICE] = " NAME",
                                         [PROTEA_OPT_LIST] = " N [N...]" };
    return names[opt->type];
}

/* "-b, --batch-size N": the one-letter alias first. */
static void print_name(const protea_opt *opt)
{
    char name[128];
    int used = 0;
    for (const char *alias = opt->aliases; alias != NULL && *alias; alias += strcspn(alias, ","), alias += *alias == ',')
        if (strcspn(alias, ",") == 1)
            used += snprintf(name + used, sizeof name - (size_t)used, "-%c, ", *alias);
    snprintf(name + used, sizeof name - (size_t)used, "--%s%s", opt->key, placeholder(opt));
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    printf("  %-*s", NAME_WIDTH, name);
    if (strlen(name) >= NAME_WIDTH)
        printf("\n  %*s", NAME_WIDTH, "");
}

static int print_option(void *self, const char *title, const protea_opt *opt, const char *value)
{
    listing *l = self;
    if (opt->flags & PROTEA_OPT_HIDDEN)
        return 0;
    for (int i = 0; i < l->n_shared; i++)
        if (protea_options_find(protea_job_options((protea_job *)l->shared[i]), opt->key) == NULL)
            return 0;
    if (l->title == NULL || strcmp(l->title, title) != 0)
        printf("\n%s:\n", title);
    l->title = title;
    print_name(opt);
    printf("%s\n  %*s(default %s", opt->help, NAME_WIDTH, "", *value ? value : "none");
    print_range(opt);
    printf("%s%s)\n", opt->source ? "; " : "", opt->source ? opt->source : "");
    return 0;
}

static void print_usage(const protea_verb_info *info, const char *kind)
{
    char line[128];
    write_usage(line, sizeof line, info, kind != NULL ? kind : info->kinds_title);
    printf("protea %s: %s\n\nusage: %s [options]\nexample: %s\n", info->name, info->summary, line, info->example);
    if (kind != NULL || info->kinds == NULL)
        return;
    printf("\n%s:\n", info->kinds_title);
    for (int i = 0; info->kinds[i] != NULL; i++)
        printf("  %-*s%s\n", NAME_WIDTH, info->kinds[i], info->kind_summary(info->kinds[i]));
}

static protea_status print_options(const protea_verb_info *info, const char *kind)
{
    protea_job *job[SHARED_MAX] = { NULL };
    listing l = { 0 };
    protea_status status = PROTEA_OK;
    int n = 0;
    for (; status == PROTEA_OK && n < SHARED_MAX && (n == 0 || (kind == NULL && info->kinds != NULL && info->kinds[n])); n++)
        status = protea_job_new(&job[n], info->name, kind != NULL ? kind : info->kinds != NULL ? info->kinds[n] : NULL);
    if (status == PROTEA_OK) {
        for (int i = 1; i < n; i++)
            l.shared[l.n_shared++] = job[i];
        protea_options_each(protea_job_options(job[0]), print_option, &l);
        if (n > 1)
            printf("\nand those of each %s: protea %s %s --help\n", info->kinds_title, info->name, info->kinds_title);
    }
    for (int i = 0; i < n; i++)
        protea_job_free(job[i]);
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
