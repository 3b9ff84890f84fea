/* Time that no clock change moves. */
#ifndef PROTEA_BASE_CLOCK_H
#define PROTEA_BASE_CLOCK_H
/* Seconds since some fixed moment (CLOCK_MONOTONIC). */
double protea_seconds(void);
/* Seconds that the calling thread has been on a processor: what its work costs, whoever else uses the machine. */
double protea_core_seconds(void);
#endif
