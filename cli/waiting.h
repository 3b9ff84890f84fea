/* How threads wait for one another. */
#ifndef PROTEA_CLI_WAITING_H
#define PROTEA_CLI_WAITING_H

/* Starts the program once more (the same process) with bounded spinning, unless whoever called it said how to wait with
 * OMP_WAIT_POLICY or GOMP_SPINCOUNT. Returns in the second start, or where there can be none. */
void cli_bound_waiting(char **argv);

#endif
