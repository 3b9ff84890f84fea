/* Time that no clock change moves. */
#ifndef PROTEA_BASE_CLOCK_H
#define PROTEA_BASE_CLOCK_H
/* Seconds since some fixed moment (CLOCK_MONOTONIC). */
double protea_seconds(void);
#endif
