/* A job's result for people. */
#ifndef PROTEA_CLI_SUMMARY_H
#define PROTEA_CLI_SUMMARY_H

/* Prints the members of a JSON object on standard output, a line each. */
void cli_print_summary(const char *json);

#endif
