/* What support_bank.c and support_rows.c share. */
#ifndef PROTEA_ADAPT_SUPPORT_ROWS_H
#define PROTEA_ADAPT_SUPPORT_ROWS_H

#include "adapt/support_bank.h"

/* One in a prototype's sum: 2^40. */
#define PROTEA_BANK_UNIT 1099511627776.0

/* Zeros rows first .. first + n of everything that has rows. */
void protea_bank_clear_rows(protea_bank *bank, int64_t first, int64_t n);
/* Prototype and heap of class c from its rows. */
void protea_bank_rebuild_class(protea_bank *bank, int64_t c);

#endif
