/* All adapters, by name, and the options they share. */
#include <string.h>

#include "adapt/adapter.h"
#include "adapt/adapter_list.h"
#include "base/status.h"

#define DECLARE(name) extern const protea_adapter_ops protea_adapter_##name##_ops;
PROTEA_ADAPTER_LIST(DECLARE)
#undef DECLARE

#define ENTRY(name) &protea_adapter_##name##_ops,
static const protea_adapter_ops *const ADAPTERS[] = { PROTEA_ADAPTER_LIST(ENTRY) NULL };
#undef ENTRY

const protea_adapter_ops *const *protea_adapters(void)
{
    return ADAPTERS;
}

protea_status protea_adapter_find(const protea_adapter_ops **out, const char *name)
{
    const char *names[sizeof ADAPTERS / sizeof ADAPTERS[0]] = { NULL };
    *out = NULL;
    for (int i = 0; ADAPTERS[i] != NULL; i++) {
        names[i] = ADAPTERS[i]->name;
        if (strcmp(names[i], name) == 0)
            *out = ADAPTERS[i];
    }
    if (*out != NULL)
        return PROTEA_OK;
    const char *nearest = protea_nearest(name, names);
    if (nearest == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s: no such adapter; the first of those there are is %s", name, names[0]);
    return protea_fail(PROTEA_ERR_USAGE, "%s: no such adapter; the nearest is %s", name, nearest);
}

const protea_opt protea_adapt_table[] = {
    { "lr", NULL, PROTEA_OPT_FLOAT, offsetof(protea_adapt_opts, lr), "0", 0, 1e3, NULL, NULL,
      "learning rate; 0: the adapter's own", NULL, 0 },
    { "steps", NULL, PROTEA_OPT_INT, offsetof(protea_adapt_opts, steps), "1", 1, 1000, NULL, "steps",
      "gradient steps on a batch; predictions are from before the last", "Tent", 0 },
    { "episodic", NULL, PROTEA_OPT_BOOL, offsetof(protea_adapt_opts, episodic), "false", 0, 0, NULL, NULL,
      "reset before every batch", "Tent", 0 },
    { "batch_size", "b", PROTEA_OPT_INT, offsetof(protea_adapt_opts, batch_size), "128", 1, 1 << 20, NULL, "images",
      "images that are adapted on together", "TSD", 0 },
    { "update_param", NULL, PROTEA_OPT_CHOICE, offsetof(protea_adapt_opts, update_param), "auto", 0, 0,
      "auto|all|affine|body|head", NULL,
      "what is trained: everything, batch-norm's weights and biases, all but the last layer, the last layer", "TSD", 0 },
    { "reset_every", NULL, PROTEA_OPT_INT, offsetof(protea_adapt_opts, reset_every), "0", 0, 1 << 24, NULL, "updates",
      "reset after so many updates; 0: never", "RDumb, arXiv:2306.05401", 0 },
    { "optimizer", NULL, PROTEA_OPT_CHOICE, offsetof(protea_adapt_opts, optimizer), "auto", 0, 0, "auto|adam|sgd", NULL,
      "update rule, as PyTorch computes it; auto: the adapter's own", NULL, 0 },
    { "momentum", NULL, PROTEA_OPT_FLOAT, offsetof(protea_adapt_opts, momentum), "0.9", 0, 0.99999, NULL, NULL,
      "sgd: share of the last step kept in the next", "EATA", 0 },
    { .key = NULL },
};
