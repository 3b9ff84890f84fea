/* Hands every file of the folders given to a fuzz target, without libFuzzer, so that any compiler's build replays what was ever
 * found. Each input lies in a block of just its size, where the sanitizers see a read beyond it. */
#include <dirent.h>

#include "fuzz.h"

static void replay_file(const char *path)
{
    enum { LARGEST = 1 << 24 };
    FILE *f = fopen(path, "rb");
    uint8_t *room = malloc(LARGEST);
    size_t size = f != NULL && room != NULL ? fread(room, 1, LARGEST, f) : 0;
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (f == NULL || room == NULL || bytes == NULL) {
        fprintf(stderr, "replay: %s: cannot be read\n", path);
        exit(1);
    }
    memcpy(bytes, room, size);
    fclose(f);
    free(room);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

/* Returns how many there were. */
static int replay_folder(const char *folder)
{
    struct dirent **list;
    int n = scandir(folder, &list, NULL, alphasort), replayed = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (list[i]->d_name[0] != '.') {
            replay_file(path);
            replayed++;
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return replayed;
}

int main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        int n = replay_folder(argv[i]);
        printf("%s: %d inputs\n", argv[i], n);
        if (n == 0)
            return 1;
    }
    return argc > 1 ? 0 : 1;
}
