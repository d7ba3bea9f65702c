/* Any bytes as a text: the same characters whether it comes at once or in parts, and every one
   accounted for. */
#define FUZZ_OWN
#include "track.h"

#include "../../lib/characters.h"
#include "../../lib/text.h"

#include <string.h>

static bool read_in_parts(const uint8_t *bytes, size_t size, size_t part, bool strict, Text *text) {
    fuzz_begin(bytes, size, part, 8 * size + 32000000);
    if (setjmp(fuzz_refused)) return false;
    *text = text_read("input", strict);
    return true;
}

static void check_text(const Text *text, size_t size, bool strict) {
    if (text->bytes != size || text->characters > size || text->length > 4 * size) abort();
    if (text->left_out > text->characters / 10 || text->windows_bytes > text->characters) abort();
    if (strict && text->left_out) abort();
    size_t named = 0;
    for (int i = 0; i < NAMED; i++) named += text->most[i].count;
    if (named > text->left_out || (named == 0) != (text->left_out == 0)) abort();
    for (size_t i = 0; i < text->length; i++)
        if (text->ids[i] >= CHARACTERS) abort();
    text_notice(text, "input");
}

/* The bytes as an argument of the command line. */
static void try_argument(const uint8_t *bytes, size_t size) {
    char *argument = malloc(size + 1);
    memcpy(argument, bytes, size);
    argument[size] = '\0';
    fuzz_begin(bytes, size, 0, 8 * size + 32000000);
    if (!setjmp(fuzz_refused)) {
        char *plain = text_argument("it", argument);
        for (size_t i = 0; plain[i]; i++)
            if (id_of((unsigned char)plain[i]) < 0 || plain[i] == '\r') abort();
    }
    fuzz_end();
    free(argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!size) return 0;
    size_t part = bytes[0] % 7u + 1;
    bytes++, size--;
    try_argument(bytes, size);
    for (int strict = 0; strict < 2; strict++) {
        Text whole, parts;
        bool good = read_in_parts(bytes, size, 0, strict, &whole);
        uint8_t *kept = NULL;
        if (good) {
            check_text(&whole, size, strict);
            kept = malloc(whole.length + 1);
            memcpy(kept, whole.ids, whole.length);
        }
        fuzz_end();
        if (read_in_parts(bytes, size, part, strict, &parts) != good) abort();
        if (good) {
            if (parts.length != whole.length || memcmp(parts.ids, kept, whole.length)) abort();
            if (parts.replaced != whole.replaced || parts.line_ends != whole.line_ends) abort();
            if (parts.left_out != whole.left_out ||
                memcmp(parts.most, whole.most, sizeof whole.most))
                abort();
        }
        fuzz_end();
        free(kept);
    }
    return 0;
}
