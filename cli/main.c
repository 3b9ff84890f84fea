/* The command: words in, one job, its result out. Exit codes are protea_status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <protea/protea.h>

#include "arguments.h"
#include "crash.h"
#include "help.h"
#include "manual.h"
#include "stop.h"
#include "summary.h"
#include "terminal.h"
#include "waiting.h"

/* What was printed must have arrived: a full disk under standard output is a failure. */
static protea_status finish_output(cli_terminal *t, protea_status status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    char line[128];
    snprintf(line, sizeof line, "standard output: could not be written: %s", strerror(errno));
    if (errno != EPIPE) /* who closed the pipe has seen enough */
        cli_terminal_error(t, line);
    return status == PROTEA_OK ? PROTEA_ERR_IO : status;
}

static protea_status fail(cli_terminal *t, protea_status status, const char *message)
{
    cli_terminal_error(t, message != NULL && *message ? message : protea_last_error());
    return status;
}

static protea_status show_help(cli_terminal *t, const cli_call *call)
{
    if (call->verb == NULL) {
        cli_help_all();
        return PROTEA_OK;
    }
    protea_status status = cli_help_verb(call->verb, call->kind);
    return status == PROTEA_OK ? status : fail(t, status, NULL);
}

static protea_status show_manual(cli_terminal *t, const cli_call *call)
{
    protea_status status = cli_manual(call->verb);
    return status == PROTEA_OK ? status : fail(t, status, NULL);
}

static protea_status show_completion(cli_terminal *t, const char *shell)
{
    char message[256];
    if (cli_completion(shell))
        return PROTEA_OK;
    snprintf(message, sizeof message, "--completion: %.100s found, bash, zsh or fish wanted", shell);
    return fail(t, PROTEA_ERR_USAGE, message);
}

/* Runs the job, or only shows its options, and prints what comes of it. */
static protea_status run_job(cli_terminal *t, const cli_call *call, protea_job *job)
{
    char *text = NULL;
    protea_hooks hooks = { .log = cli_terminal_log, .progress = cli_terminal_progress, .cookie = t };
    hooks.stop = cli_watch_signals(protea_options_find(protea_job_options(job), "resume") != NULL);
    protea_status status =
        call->print_config
            ? protea_job_config(job, call->arguments, call->n_arguments, &hooks, &text)
            : protea_job_run(job, call->arguments, call->n_arguments, call->output, &hooks, &text);
    cli_terminal_clear(t);
    if (text != NULL && call->print_config)
        fputs(text, stdout);
    else if (text != NULL && call->json)
        puts(text);
    else if (text != NULL)
        cli_print_summary(text);
    free(text);
    if (status == PROTEA_STOPPED)
        cli_terminal_log(t, PROTEA_LOG_INFO, "stopped on request, the state is saved; the same command with --resume goes on");
    else if (status != PROTEA_OK)
        fail(t, status, NULL);
    return status;
}

static protea_status run_verb(cli_terminal *t, cli_call *call, int argc, char **argv)
{
    char message[512] = "";
    protea_job *job = NULL;
    call->arguments = calloc((size_t)argc + 1, sizeof *call->arguments);
    if (call->arguments == NULL)
        return fail(t, PROTEA_ERR_MEMORY, "the command line: memory could not be had");
    protea_status status = call->config != NULL ? protea_job_new_from(&job, call->verb, call->kind, call->config)
                                                : protea_job_new(&job, call->verb, call->kind);
    if (status == PROTEA_OK)
        status = cli_read_options(call, job, argc, argv, message, sizeof message);
    if (status == PROTEA_OK) {
        *t = cli_terminal_open(call->quiet);
        status = run_job(t, call, job);
    } else
        fail(t, status, message);
    protea_job_free(job);
    free(call->arguments);
    return status;
}

int main(int argc, char **argv)
{
    cli_call call;
    cli_terminal terminal = cli_terminal_open(false);
    protea_status status;
    cli_bound_waiting(argv);
    cli_report_crashes();
    cli_ignore_write_signals();
    cli_read_call(&call, argc, argv);
    if (call.version) {
        printf("protea %s\n", protea_version());
        status = PROTEA_OK;
    } else if (call.manual)
        status = show_manual(&terminal, &call);
    else if (call.completion != NULL)
        status = show_completion(&terminal, call.completion);
    else if (call.help || argc == 1)
        status = show_help(&terminal, &call);
    else if (call.verb == NULL)
        status = fail(&terminal, PROTEA_ERR_USAGE, "no verb found; see protea --help");
    else
        status = run_verb(&terminal, &call, argc, argv);
    return (int)finish_output(&terminal, status);
}
