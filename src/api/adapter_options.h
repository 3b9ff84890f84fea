/* The options of adapters: of one, or of all together, where one flag goes to every adapter that knows it. */
#ifndef PROTEA_API_ADAPTER_OPTIONS_H
#define PROTEA_API_ADAPTER_OPTIONS_H

#include "adapt/adapter.h"

typedef struct protea_adapter_options {
    protea_opt *table;  /* owned; borrowed by the options it was added to */
    void *fields;       /* owned */
} protea_adapter_options;

/* Adds the options of ops, or of all adapters where it is NULL; *o must outlive options. Release in any case. */
protea_status protea_adapter_options_add(protea_adapter_options *o, protea_options *options, const protea_adapter_ops *ops);
void protea_adapter_options_release(protea_adapter_options *o);

/* *filled: the struct of ops with its own defaults, and what was given in options; owned (protea_free). */
protea_status protea_adapter_options_fill(void **filled, const protea_adapter_ops *ops, const protea_options *options);

/* The value of an option of the adapter's own as text, as fill would have it; "" where it has no such option. */
protea_status protea_adapter_options_text(char *out, size_t size, const protea_adapter_ops *ops, const char *key,
                                          const protea_options *options);

#endif
