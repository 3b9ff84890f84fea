/* One line per verb, in the order of the help. */
#define PROTEA_VERB_LIST(X)
