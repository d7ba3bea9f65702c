/* seeds FOLDER...: writes every breach of the rules of safetensors into each of the folders: a
   fuzzer's first inputs. tests/slow/fuzz.sh adds good ones. */
#include "../unit/breaches.h"

#include <stdio.h>

static void seed(const char *folder, const Breach *breach) {
    char path[4096], name[100];
    size_t size;
    uint8_t *bytes = breach_bytes(breach, &size);
    snprintf(name, sizeof name, "%s", breach->name);
    for (char *at = name; *at; at++)
        if (*at == '/' || *at == ' ') *at = '_';
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) exit(1);
    free(bytes);
}

int main(int argc, char **argv) {
    for (int folder = 1; folder < argc; folder++)
        for (size_t i = 0; i < BREACHES; i++) seed(argv[folder], &breaches[i]);
    return 0;
}
