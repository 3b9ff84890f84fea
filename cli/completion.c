/* Shell completion: verb, kind, flags, files. One word list for each verb, or verb and kind, kept in the script. */
#include <stdio.h>
#include <string.h>

#include <protea/protea.h>

#include "manual.h"
#include "option_text.h"

static const char *const own_flags = "--config --print-config --json --quiet --help";

static int print_flag(void *self, const char *title, const protea_opt *opt, const char *value)
{
    char name[128];
    (void)self, (void)title, (void)value;
    if (opt->flags & PROTEA_OPT_HIDDEN)
        return 0;
    snprintf(name, sizeof name, "%s", opt->key);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    printf(" --%s", name);
    return 0;
}

/* write: what stands before and after a list of flags for "VERB KIND" (kind "" where there is none). */
typedef void (*write_fn)(const char *verb, const char *kind, protea_job *job);

static void each_call(write_fn write)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    for (int i = 0; i < n; i++) {
        cli_kinds kinds;
        if (cli_kinds_open(&kinds, verbs[i], NULL) == PROTEA_OK)
            for (int k = 0; k < kinds.n; k++)
                write(verbs[i]->name, verbs[i]->kinds != NULL ? verbs[i]->kinds[k] : "", kinds.job[k]);
        cli_kinds_close(&kinds);
    }
}

static void print_verbs(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    for (int i = 0; i < n; i++)
        printf("%s%s", i > 0 ? " " : "", verbs[i]->name);
}

static void print_kinds(const protea_verb_info *info)
{
    for (int k = 0; info->kinds != NULL && info->kinds[k] != NULL; k++)
        printf("%s%s", k > 0 ? " " : "", info->kinds[k]);
}

/* ---- bash, which zsh reads as well */

static void bash_case(const char *verb, const char *kind, protea_job *job)
{
    printf("        \"%s %s\") flags=\"%s", verb, kind, own_flags);
    protea_options_each(protea_job_options(job), print_flag, NULL);
    printf("\" ;;\n");
}

static void write_bash(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    printf("_protea()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} kind= kinds= flags=\n    case $verb in\n");
    for (int i = 0; i < n; i++) {
        printf("        %s) kinds=\"", verbs[i]->name);
        print_kinds(verbs[i]);
        printf("\" ;;\n");
    }
    printf("    esac\n    [[ -z $kinds ]] || kind=${COMP_WORDS[2]}\n    case \"$verb $kind\" in\n");
    each_call(bash_case);
    printf("    esac\n    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W \"");
    print_verbs();
    printf(" --help --version\" -- \"$word\"))\n"
           "    elif ((COMP_CWORD == 2)) && [[ -n $kinds ]]; then\n        COMPREPLY=($(compgen -W \"$kinds\" -- \"$word\"))\n"
           "    elif [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
           "    else\n        COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\ncomplete -o filenames -F _protea protea\n");
}

static void write_zsh(void)
{
    printf("#compdef protea\nautoload -U +X bashcompinit && bashcompinit\n");
    write_bash();
}

/* ---- fish */

static void fish_flags(const char *verb, const char *kind, protea_job *job)
{
    printf("complete -c protea -n '__fish_seen_subcommand_from %s%s%s%s' -a '%s", verb,
           *kind ? "; and __fish_seen_subcommand_from " : "", kind, "; and string match -q -- \"-*\" (commandline -ct)", own_flags);
    protea_options_each(protea_job_options(job), print_flag, NULL);
    printf("'\n");
}

static void write_fish(void)
{
    int n;
    const protea_verb_info *const *verbs = protea_verbs(&n);
    for (int i = 0; i < n; i++) {
        printf("complete -c protea -f -n __fish_use_subcommand -a %s -d \"%s\"\n", verbs[i]->name, verbs[i]->summary);
        for (int k = 0; verbs[i]->kinds != NULL && verbs[i]->kinds[k] != NULL; k++)
            printf("complete -c protea -f -n '__fish_seen_subcommand_from %s; and test (count (commandline -opc)) -eq 2' -a %s\n",
                   verbs[i]->name, verbs[i]->kinds[k]);
    }
    each_call(fish_flags);
}

int cli_completion(const char *shell)
{
    static const struct { const char *name; void (*write)(void); } shells[] = { { "bash", write_bash }, { "zsh", write_zsh },
                                                                               { "fish", write_fish } };
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, shell) != 0)
            continue;
        shells[i].write();
        return 1;
    }
    return 0;
}
