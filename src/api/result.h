/* What a verb puts into its result. jansson says of each piece whether memory sufficed for it; here one that did not is
 * remembered, so that the job fails instead of telling half. Every file of this folder gets these for jansson's own names. */
#ifndef PROTEA_API_RESULT_H
#define PROTEA_API_RESULT_H

#include <jansson.h>
#include <stdbool.h>

/* On this thread: forgets what was lost. */
void protea_result_begin(void);
/* Whether everything since could be put where it belongs. */
bool protea_result_is_whole(void);

/* As jansson's of that name. value: taken; NULL where it could not be made. */
int protea_result_set(json_t *object, const char *key, json_t *value);
int protea_result_append(json_t *list, json_t *value);

#define json_object_set_new(object, key, value) protea_result_set(object, key, value)
#define json_object_set(object, key, value) protea_result_set(object, key, json_incref(value))
#define json_array_append_new(list, value) protea_result_append(list, value)
#define json_array_append(list, value) protea_result_append(list, json_incref(value))

#endif
